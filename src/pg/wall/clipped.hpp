// Shortens text between characters: a text that ends in half a character is invalid for clients and for SQL.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "pg/wall/compat.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace mf::pg {

/// The whole characters among the first `limit` bytes of a text in the database's encoding. Raises nothing.
inline std::string_view clipped(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) return text;
    // The longest character has four bytes, so bytes further on have no influence.
    const std::size_t looked_at = std::min(text.size(), limit + MAX_MULTIBYTE_CHAR_LEN);
    const int length = pg_mbcliplen(text.data(), static_cast<int>(looked_at), static_cast<int>(limit));
    return text.substr(0, static_cast<std::size_t>(length));
}

/// Copies the whole characters that fit into the array, and ends them with a null character.
template <std::size_t N>
void copy_clipped(char (&target)[N], std::string_view text) {
    const std::string_view fitting = clipped(text, N - 1);
    std::memcpy(target, fitting.data(), fitting.size());
    target[fitting.size()] = '\0';
}

}  // namespace mf::pg
