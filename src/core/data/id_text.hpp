// Kinds of identifiers and their text forms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mf {

enum class IdKind {
    Integer,  ///< smallint, integer, bigint: ordered by value
    Uuid,     ///< 16 bytes; ordered by bytes, which is also the order of the text form
    Text,     ///< everything else; ordered by the bytes of the text form
};

constexpr std::size_t kUuidBytes = 16;

/// An id's text form, as PostgreSQL prints it and the factor tables store it; kind is not Integer in the second
/// overload.
std::string id_text(std::int64_t id);
std::string id_text(IdKind kind, std::string_view bytes);

/// id_hash() of the text form, without creating a string.
std::uint64_t id_text_hash(std::int64_t id);
std::uint64_t id_text_hash(IdKind kind, std::string_view bytes);

/// Writes 16 bytes as 36 characters, lower case with hyphens.
std::string uuid_text(std::string_view bytes);

/// Reads the text form of a bigint exactly as PostgreSQL prints it: digits without leading zeros, after a
/// hyphen if negative. False, and *id untouched, for anything else ("+5", "007", "-0", " 5", out of range):
/// such a text is never the form under which a model stores an id.
bool parse_integer_id(std::string_view text, std::int64_t* id);

/// Reads 8-4-4-4-12 hexadecimal digits of either case into 16 bytes. False, and *bytes untouched, for
/// anything else.
bool parse_uuid_id(std::string_view text, std::string* bytes);

}  // namespace mf
