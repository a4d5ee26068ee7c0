// Text and numbers for pages of HTML that are well-formed XML as well, in ASCII.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mf {

/// UTF-8 as the content of an element or the value of a quoted attribute. What HTML or XML would take for markup is
/// escaped, and what is beyond ASCII becomes a numeric reference. Bytes that are not UTF-8, and characters that a page
/// cannot contain (controls), become U+FFFD.
std::string html_text(std::string_view utf8);

/// Four significant digits at most, in the same form under every locale.
std::string short_number(double value);

/// With a comma between groups of three digits.
std::string grouped_number(std::int64_t value);

}  // namespace mf
