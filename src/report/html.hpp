// Text and numbers for pages of HTML that are well-formed XML as well, in ASCII.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mf {

/// UTF-8 as the content of an element or the value of a quoted attribute. Markup characters of HTML and XML are
/// escaped, and characters beyond ASCII become numeric references. Bytes that are not UTF-8, and characters that a page
/// cannot contain (controls), become U+FFFD.
std::string html_text(std::string_view utf8);

/// The number with at most four significant digits, in the same form under every locale.
std::string short_number(double value);

/// The text with each decimal fraction in it as a short number; all else stays as it is, also names with digits.
std::string shortened_numbers(std::string_view text);

/// The beginning of a long UTF-8 text, and an ellipsis.
std::string shortened_text(const std::string& utf8);

/// The number with a comma between groups of three digits.
std::string grouped_number(std::int64_t value);

}  // namespace mf
