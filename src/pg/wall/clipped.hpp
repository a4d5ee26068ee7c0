// Text that must be short, cut at the border of a character: half a character is no text for the client, nor for SQL.
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
    // Four bytes make the longest character: what lies beyond decides nothing.
    const std::size_t looked_at = std::min(text.size(), limit + MAX_MULTIBYTE_CHAR_LEN);
    const int length = pg_mbcliplen(text.data(), static_cast<int>(looked_at), static_cast<int>(limit));
    return text.substr(0, static_cast<std::size_t>(length));
}

/// Copies what fits into the array, with a null character at the end.
template <std::size_t N>
void copy_clipped(char (&target)[N], std::string_view text) {
    const std::string_view fitting = clipped(text, N - 1);
    std::memcpy(target, fitting.data(), fitting.size());
    target[fitting.size()] = '\0';
}

}  // namespace mf::pg
