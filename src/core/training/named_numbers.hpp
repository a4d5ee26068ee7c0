// Parameters of a fold-in by name: the form in which a model holds and stores those of whichever trainer made it.
#pragma once

#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace mf {

/// Values that a number may have. NaN never is one.
struct NumberRange {
    double minimum;
    double maximum;
    bool contains(double value) const { return value >= minimum && value <= maximum; }
};
inline constexpr NumberRange kAnyNumber{-std::numeric_limits<double>::max(), std::numeric_limits<double>::max()};
/// Neither negative nor beyond what the solvers compute in.
inline constexpr NumberRange kWeight{0, std::numeric_limits<float>::max()};
inline constexpr NumberRange kPositive{std::numeric_limits<double>::min(), std::numeric_limits<float>::max()};

struct NamedNumber {
    const char* name;  ///< a literal
    double value;
};
using NamedNumbers = std::vector<NamedNumber>;

struct NamedRange {
    const char* name;
    NumberRange range;
};

// A struct of parameters has each_field(field), which calls field(name, number, range) for each of its numbers.

template <class Parameters>
NamedNumbers to_numbers(Parameters parameters) {
    NamedNumbers numbers;
    parameters.each_field([&](const char* name, double& value, const NumberRange&) {
        numbers.push_back({name, value});
    });
    return numbers;
}

/// Throws std::logic_error if one is missing.
template <class Parameters>
Parameters from_numbers(const NamedNumbers& numbers) {
    Parameters parameters;
    parameters.each_field([&](const char* name, double& value, const NumberRange&) {
        for (const NamedNumber& number : numbers)
            if (std::strcmp(number.name, name) == 0) return void(value = number.value);
        throw std::logic_error(std::string("the parameters lack \"") + name + "\"");
    });
    return parameters;
}

/// Names and ranges of the numbers of a struct.
template <class Parameters>
std::vector<NamedRange> number_ranges() {
    std::vector<NamedRange> ranges;
    Parameters parameters;
    parameters.each_field([&](const char* name, double&, const NumberRange& range) {
        ranges.push_back({name, range});
    });
    return ranges;
}

}  // namespace mf
