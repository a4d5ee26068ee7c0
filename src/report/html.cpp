#include "report/html.hpp"

#include <charconv>
#include <cmath>

namespace mf {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;

/// Removes one character, or one byte that begins no character, from the front of the text.
std::uint32_t take_character(std::string_view* text) {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>((*text)[i]); };
    const unsigned char lead = byte(0);
    const std::size_t length = lead < 0x80                   ? 1
                               : lead >= 0xC2 && lead < 0xE0 ? 2
                               : lead >= 0xE0 && lead < 0xF0 ? 3
                               : lead >= 0xF0 && lead < 0xF5 ? 4
                                                             : 0;
    constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    std::uint32_t code = length == 1 ? lead : length == 0 ? kReplacement : lead & (0x7Fu >> length);
    std::size_t used = 1;
    for (; used < length; ++used) {
        if (used == text->size() || (byte(used) & 0xC0) != 0x80) break;
        code = code << 6 | (byte(used) & 0x3F);
    }
    if (used < length || code > 0x10FFFF || (length > 0 && code < kSmallest[length])) {
        code = kReplacement;
        used = 1;
    }
    text->remove_prefix(used);
    return code;
}

/// HTML reads references to U+0080 to U+009F as characters of another encoding, so these count as controls too.
bool fits_into_page(std::uint32_t code) {
    const bool control = (code < 0x20 && code != '\t' && code != '\n') || (code >= 0x7F && code < 0xA0);
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    return !control && !surrogate && code != 0xFFFE && code != 0xFFFF;
}

}  // namespace

std::string html_text(std::string_view utf8) {
    std::string result;
    while (!utf8.empty()) {
        const std::uint32_t taken = take_character(&utf8);
        const std::uint32_t code = fits_into_page(taken) ? taken : kReplacement;
        const bool plain =
            code >= 0x20 && code < 0x7F && code != '<' && code != '>' && code != '&' && code != '"' && code != '\'';
        if (plain)
            result += static_cast<char>(code);
        else
            result += "&#" + std::to_string(code) + ";";
    }
    return result;
}

std::string short_number(double value) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::general, 4);
    return std::string(text, end.ptr);
}

std::string shortened_numbers(std::string_view text) {
    constexpr std::string_view kSeparators = " ,:[]{}\"";
    std::string result;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find_first_of(kSeparators));
        double value = 0;
        const char* end = word.data() + word.size();
        const bool fraction = word.find('.') != std::string_view::npos &&
                              std::from_chars(word.data(), end, value).ptr == end && std::isfinite(value);
        result += fraction ? short_number(value) : std::string(word);
        text.remove_prefix(word.size());
        if (!text.empty()) {
            result += text.front();
            text.remove_prefix(1);
        }
    }
    return result;
}

std::string shortened_text(const std::string& utf8) {
    constexpr std::size_t kBytes = 80;
    if (utf8.size() <= kBytes) return utf8;
    std::size_t end = kBytes;
    // A character is not cut in two; what has more continuation bytes than a character can have is not UTF-8.
    while (end > kBytes - 4 && (static_cast<unsigned char>(utf8[end]) & 0xC0) == 0x80) --end;
    return utf8.substr(0, end) + "\xE2\x80\xA6";
}

std::string grouped_number(std::int64_t value) {
    std::string text = std::to_string(value);
    const std::size_t first = value < 0 ? 1 : 0;
    for (std::size_t at = text.size(); at > first + 3;) text.insert(at -= 3, 1, ',');
    return text;
}

}  // namespace mf
