#include "core/data/id_text.hpp"

#include <charconv>
#include <stdexcept>
#include <utility>

#include "core/base/hash.hpp"

namespace mf {
namespace {

using IntegerText = char[20];  // room for the longest: -9223372036854775808

std::string_view write_integer(std::int64_t id, IntegerText& buffer) {
    const auto result = std::to_chars(buffer, buffer + sizeof(IntegerText), id);
    return {buffer, static_cast<std::size_t>(result.ptr - buffer)};
}

constexpr std::size_t kUuidText = 36;

constexpr bool is_hyphen_position(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

void write_uuid(std::string_view bytes, char* text) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::size_t byte = 0;
    for (std::size_t i = 0; i < kUuidText;) {
        if (is_hyphen_position(i)) {
            text[i++] = '-';
            continue;
        }
        const auto value = static_cast<unsigned char>(bytes[byte++]);
        text[i++] = kDigits[value >> 4];
        text[i++] = kDigits[value & 15];
    }
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::string id_text(std::int64_t id) {
    IntegerText buffer;
    return std::string(write_integer(id, buffer));
}

std::string id_text(IdKind kind, std::string_view bytes) {
    return kind == IdKind::Uuid ? uuid_text(bytes) : std::string(bytes);
}

std::uint64_t id_text_hash(std::int64_t id) {
    IntegerText buffer;
    return id_hash(write_integer(id, buffer));
}

std::uint64_t id_text_hash(IdKind kind, std::string_view bytes) {
    if (kind != IdKind::Uuid) return id_hash(bytes);
    char buffer[kUuidText];
    write_uuid(bytes, buffer);
    return id_hash({buffer, kUuidText});
}

std::string uuid_text(std::string_view bytes) {
    if (bytes.size() != kUuidBytes) throw std::logic_error("uuid id that has not 16 bytes");
    std::string text(kUuidText, '\0');
    write_uuid(bytes, text.data());
    return text;
}

bool parse_integer_id(std::string_view text, std::int64_t* id) {
    const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
    // from_chars would accept leading zeros and "-0".
    if (digits.starts_with('0') && text != "0") return false;
    std::int64_t value;
    const char* end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value);
    if (result.ec != std::errc{} || result.ptr != end) return false;
    *id = value;
    return true;
}

bool parse_uuid_id(std::string_view text, std::string* bytes) {
    if (text.size() != kUuidText) return false;
    std::string parsed;
    for (std::size_t i = 0; i < kUuidText;) {
        if (is_hyphen_position(i)) {
            if (text[i++] != '-') return false;
            continue;
        }
        const int high = hex_value(text[i]);
        const int low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) return false;
        parsed.push_back(static_cast<char>(high << 4 | low));
        i += 2;
    }
    *bytes = std::move(parsed);
    return true;
}

}  // namespace mf
