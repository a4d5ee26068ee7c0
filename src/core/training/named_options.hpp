// Options by name: what a trainer tells of its own in tables.
#pragma once

#include <algorithm>
#include <iterator>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/training/options.hpp"

namespace mf {

// A row with fewer entries than factors has a singular system, and only the ridge makes it solvable. The
// lower bound keeps the ridge from vanishing in single precision; the upper one keeps ridge · n^exponent
// finite there.
inline constexpr double kMinimumRegularization = 1e-9;
inline constexpr double kMaximumWeight = 1e6;

/// An option whose value is a number.
struct NumericOption {
    std::string_view name;
    /// Trainers of both kinds of factors may have it: beside rating factors, that of the ranking factors is called
    /// "ranking_" and this.
    bool is_general;
    bool is_whole;
    double minimum;
    double maximum;
    void (*set)(TrainOptions&, double);
    double (*get)(const TrainOptions&);
    SearchRange search[2] = {};  ///< for explicit and for implicit feedback
    /// Found from the data unless it is given: ratio of the values tried one after the other. 0: not found.
    double found_step = 0;
    /// Another option of the same trainer that changes by the root of that ratio at the same time, since what is best
    /// depends on the one divided by the square of the other. Empty: none.
    std::string_view companion = {};
};

/// An option kept in TrainOptions::*Part.*Field; whole if that is an int.
template <auto Part, auto Field>
constexpr NumericOption numeric_option(std::string_view name, double minimum, double maximum,
                                       SearchRange explicit_search = {}, SearchRange implicit_search = {},
                                       double found_step = 0, std::string_view companion = {}) {
    using Value = std::remove_cvref_t<decltype(std::declval<TrainOptions>().*Part.*Field)>;
    return {name,
            name == "iterations" || name == "regularization" || name == "regularization_exponent" ||
                name == "feature_regularization",
            std::is_same_v<Value, int>,
            minimum,
            maximum,
            [](TrainOptions& options, double value) { options.*Part.*Field = static_cast<Value>(value); },
            [](const TrainOptions& options) { return static_cast<double>(options.*Part.*Field); },
            {explicit_search, implicit_search},
            found_step,
            companion};
}

/// An option whose value is one of a few words.
struct WordOption {
    std::string_view name;
    bool (*set)(TrainOptions&, std::string_view);  ///< false for an unknown word
    const char* words;                             ///< for the hint
};

template <class Value>
struct Word {
    std::string_view word;
    Value value;
};

/// Sets a field to the value that a word stands for; false for an unknown word.
template <class Field, class Words>
bool set_word(Field& field, const Words& words, std::string_view value) {
    const auto found = std::find_if(std::begin(words), std::end(words), [&](const auto& w) { return w.word == value; });
    if (found == std::end(words)) return false;
    field = found->value;
    return true;
}

}  // namespace mf
