// Rounding to a number of significant digits.
#pragma once

#include <charconv>

namespace mf {

/// The double nearest to the decimal number nearest to `value` of that many significant digits, at most 17.
inline double rounded_to(int digits, double value) {
    char text[40];
    const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::general, digits).ptr;
    double result = value;
    std::from_chars(text, end, result);
    return result;
}

}  // namespace mf
