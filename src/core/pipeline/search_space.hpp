// What mf_tune tries: options with their values, and points spread over them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/training/options.hpp"

namespace mf {

using OptionValue = std::variant<double, std::string>;

/// One option of a search: a list of values, or a range.
struct SearchDimension {
    std::string name;
    std::vector<OptionValue> values;  ///< empty: the range
    double minimum = 0;
    double maximum = 0;
    bool is_logarithmic = false;
};

using SearchSpace = std::vector<SearchDimension>;

/// One option with the value to train with.
struct Setting {
    std::string name;
    OptionValue value;
    bool operator==(const Setting&) const = default;
};
using Settings = std::vector<Setting>;

/// Sets the options to these values, one after the other. Throws what set_option() throws.
void apply_settings(const Settings& settings, TrainOptions& options);

/// Throws InvalidArgument that names the option if it is unknown or decides how the source is read, if a range's ends
/// are not numbers in this order, a logarithmic one begins at zero or below, or if a value is not one that
/// `base` could be trained with. An option may be there once.
void check_space(const SearchSpace& space, const TrainOptions& base);

/// What is searched if nothing is said: the regularization of each kind of factors and what else their quality hangs
/// on, within a factor of about four around the defaults. The number of factors and of iterations is not part of it:
/// both would go to the upper end, and cost time and memory.
SearchSpace default_space(const TrainOptions& base);

/// At most `count` different points: all combinations if there are lists only and no more than that, else points spread
/// evenly over the space. If the options of `base` are a point of the space, it is the first. Values from ranges have
/// four digits, whole ones none behind the point.
///
/// Spread by the additive recurrence x_i = frac(x_0 + i·α) with α_j = φ^-j, φ the positive root of φ^(d+1) = φ + 1
/// (Roberts, "The Unreasonable Effectiveness of Quasirandom Sequences", 2018), and x_0 from the seed: each number of
/// first points covers every dimension evenly, and all of them together.
std::vector<Settings> spread_points(const SearchSpace& space, const TrainOptions& base, std::size_t count,
                                    std::uint64_t seed);

}  // namespace mf
