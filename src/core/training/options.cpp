#include "core/training/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "core/base/error.hpp"

namespace mf {
namespace {

/// A number as people write it, independent of the locale: 15 digits where they identify it, 17 otherwise.
std::string number_text(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
    char buffer[32];
    for (const int digits : {15, 17}) {
        const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, digits).ptr;
        double read_back = 0;
        std::from_chars(buffer, end, read_back);
        if (read_back == value || digits == 17) return std::string(buffer, end);
    }
    return {};
}

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

void require_range(const char* name, double value, double minimum, double maximum) {
    if (value >= minimum && value <= maximum) return;  // false for NaN
    throw InvalidArgument(std::string(name) + " must be between " + number_text(minimum) + " and " +
                          number_text(maximum) + ", not " + number_text(value));
}

// A row with fewer entries than factors has a singular system, and only the ridge makes it solvable. The
// lower bound keeps the ridge from vanishing in single precision; the upper one keeps ridge · n^exponent
// finite there.
constexpr double kMinimumRegularization = 1e-9;
constexpr double kMaximumWeight = 1e6;

void require_exponent(const char* name, double value) { require_range(name, value, 0, 2); }

void validate_ranking(const IalsOptions& ials, bool is_whole_model) {
    const auto name = [&](const char* alone, const char* beside_ratings) {
        return is_whole_model ? alone : beside_ratings;
    };
    require_range("factors", ials.factors, 1, kMaximumFactors);
    require_range(name("iterations", "ranking_iterations"), ials.iterations, 1, kMaximumIterations);
    require_range(name("regularization", "ranking_regularization"), ials.regularization, kMinimumRegularization,
                  kMaximumWeight);
    require_exponent(name("regularization_exponent", "ranking_regularization_exponent"), ials.regularization_exponent);
    // Without weight on what was not observed, the constant score fits perfectly and nothing is learned.
    require_range("unobserved_weight", ials.unobserved_weight, kMinimumRegularization, kMaximumWeight);
    if (ials.weight_slope) require_range("weight_slope", *ials.weight_slope, 0, kMaximumWeight);
}

void validate_rating(const AlsOptions& als) {
    require_range("factors", als.factors, 1, kMaximumFactors);
    require_range("iterations", als.iterations, 1, kMaximumIterations);
    require_range("regularization", als.regularization, kMinimumRegularization, kMaximumWeight);
    require_exponent("regularization_exponent", als.regularization_exponent);
    // May be 0: a row's bias is determined by its ratings once the factors have a ridge.
    require_range("bias_regularization", als.bias_regularization, 0, kMaximumWeight);
}

int whole_number(std::string_view name, double value) {
    if (value == std::trunc(value) && std::abs(value) <= std::numeric_limits<int>::max())
        return static_cast<int>(value);
    throw InvalidArgument("option " + quoted(name) + " must be a whole number, not " + number_text(value));
}

/// An option whose value is a number.
struct NumericOption {
    std::string_view name;
    OptionScope scope;
    bool is_whole;
    void (*set)(TrainOptions&, double);
    double (*get)(const TrainOptions&);
};

template <auto Part, auto Field>
constexpr NumericOption numeric_option(std::string_view name, OptionScope scope) {
    using Value = std::remove_cvref_t<decltype(std::declval<TrainOptions>().*Part.*Field)>;
    return {name, scope, std::is_same_v<Value, int>,
            [](TrainOptions& options, double value) { options.*Part.*Field = static_cast<Value>(value); },
            [](const TrainOptions& options) { return static_cast<double>(options.*Part.*Field); }};
}

constexpr NumericOption weight_slope_option() {
    return {"weight_slope", OptionScope::Ranking, false,
            [](TrainOptions& options, double value) { options.ials.weight_slope = value; },
            [](const TrainOptions& options) { return options.ials.weight_slope_or_default(options.feedback); }};
}

constexpr NumericOption factors_option(OptionScope scope) {
    return {"factors", scope, true,
            [](TrainOptions& options, double value) {
                options.als.factors = options.ials.factors = static_cast<int>(value);
            },
            [](const TrainOptions& options) { return static_cast<double>(options.ials.factors); }};
}

template <auto Field>
constexpr NumericOption rating_option(std::string_view name) {
    return numeric_option<&TrainOptions::als, Field>(name, OptionScope::Rating);
}
template <auto Field>
constexpr NumericOption ranking_option(std::string_view name) {
    return numeric_option<&TrainOptions::ials, Field>(name, OptionScope::Ranking);
}

constexpr std::array kExplicitOptions{
    factors_option(OptionScope::Both),
    rating_option<&AlsOptions::bias_regularization>("bias_regularization"),
    rating_option<&AlsOptions::iterations>("iterations"),
    rating_option<&AlsOptions::regularization>("regularization"),
    rating_option<&AlsOptions::regularization_exponent>("regularization_exponent"),
    ranking_option<&IalsOptions::iterations>("ranking_iterations"),
    ranking_option<&IalsOptions::regularization>("ranking_regularization"),
    ranking_option<&IalsOptions::regularization_exponent>("ranking_regularization_exponent"),
    ranking_option<&IalsOptions::unobserved_weight>("unobserved_weight"),
    weight_slope_option(),
};

constexpr std::array kImplicitOptions{
    factors_option(OptionScope::Ranking),
    ranking_option<&IalsOptions::iterations>("iterations"),
    ranking_option<&IalsOptions::regularization>("regularization"),
    ranking_option<&IalsOptions::regularization_exponent>("regularization_exponent"),
    ranking_option<&IalsOptions::unobserved_weight>("unobserved_weight"),
    weight_slope_option(),
};

std::span<const NumericOption> numeric_options(Feedback feedback) {
    if (feedback == Feedback::Explicit) return kExplicitOptions;
    return kImplicitOptions;
}

const NumericOption* find_numeric(Feedback feedback, std::string_view name) {
    for (const NumericOption& option : numeric_options(feedback)) {
        if (option.name == name) return &option;
    }
    return nullptr;
}

/// An option whose value is one of a few words.
struct WordOption {
    std::string_view name;
    OptionScope scope;
    bool (*set)(TrainOptions&, std::string_view);  ///< false for an unknown word
    const char* words;                             ///< for the hint
};

template <class Value>
struct Word {
    std::string_view word;
    Value value;
};

constexpr Word<Duplicates> kDuplicatesWords[] = {
    {"mean", Duplicates::Mean}, {"sum", Duplicates::Sum}, {"last", Duplicates::Last}, {"error", Duplicates::Error}};
constexpr Word<IalsOptions::Solver> kSolverWords[] = {{"cholesky", IalsOptions::Solver::Cholesky},
                                                      {"conjugate_gradient", IalsOptions::Solver::ConjugateGradient}};

template <class Field, class Words>
bool set_word(Field& field, const Words& words, std::string_view value) {
    const auto found = std::find_if(std::begin(words), std::end(words), [&](const auto& w) { return w.word == value; });
    if (found == std::end(words)) return false;
    field = found->value;
    return true;
}

constexpr WordOption kWordOptions[] = {
    {"duplicates", OptionScope::Data,
     [](TrainOptions& o, std::string_view v) { return set_word(o.duplicates, kDuplicatesWords, v); },
     "The values are \"mean\", \"sum\", \"last\" and \"error\"."},
    {"solver", OptionScope::Ranking,
     [](TrainOptions& o, std::string_view v) { return set_word(o.ials.solver, kSolverWords, v); },
     "The values are \"cholesky\" and \"conjugate_gradient\"."},
};

const WordOption* find_word(std::string_view name) {
    for (const WordOption& option : kWordOptions) {
        if (option.name == name) return &option;
    }
    return nullptr;
}

constexpr std::string_view kTimeColumn = "time_column";

[[noreturn]] void raise_unknown(Feedback feedback, std::string_view name) {
    std::string known;
    for (const std::string& one : option_names(feedback)) known += (known.empty() ? "" : ", ") + one;
    throw InvalidArgument("unknown option " + quoted(name), {},
                          std::string("The options for ") + (feedback == Feedback::Explicit ? "explicit" : "implicit") +
                              " feedback are " + known + ".");
}

}  // namespace

void TrainOptions::validate() const {
    require_range("test_fraction", test_fraction, 0, 0.9);
    if (feedback == Feedback::Explicit) validate_rating(als);
    validate_ranking(ials, feedback == Feedback::Implicit);
}

std::vector<std::string> option_names(Feedback feedback) {
    std::vector<std::string> names{std::string(kTimeColumn)};
    for (const WordOption& option : kWordOptions) names.emplace_back(option.name);
    for (const NumericOption& option : numeric_options(feedback)) names.emplace_back(option.name);
    std::sort(names.begin(), names.end());
    return names;
}

void set_option(TrainOptions& options, std::string_view name, double value) {
    if (const NumericOption* option = find_numeric(options.feedback, name))
        return option->set(options, option->is_whole ? whole_number(name, value) : value);
    if (find_word(name) == nullptr && name != kTimeColumn) raise_unknown(options.feedback, name);
    throw InvalidArgument("option " + quoted(name) + " must be a text, not the number " + number_text(value));
}

void set_option(TrainOptions& options, std::string_view name, std::string_view value) {
    if (name == kTimeColumn) throw std::logic_error("option \"time_column\" is not one of the core");
    if (find_numeric(options.feedback, name) != nullptr) {
        throw InvalidArgument("option " + quoted(name) + " must be a number, not " + quoted(value));
    }
    const WordOption* option = find_word(name);
    if (option == nullptr) raise_unknown(options.feedback, name);
    if (!option->set(options, value))
        throw InvalidArgument("option " + quoted(name) + " has no value " + quoted(value), {}, option->words);
}

OptionScope option_scope(Feedback feedback, std::string_view name) {
    if (const NumericOption* option = find_numeric(feedback, name)) return option->scope;
    if (const WordOption* option = find_word(name)) return option->scope;
    if (name != kTimeColumn) raise_unknown(feedback, name);
    return OptionScope::Data;
}

bool option_is_whole(Feedback feedback, std::string_view name) {
    const NumericOption* option = find_numeric(feedback, name);
    if (option == nullptr) option_scope(feedback, name);  // says what is known
    return option != nullptr && option->is_whole;
}

double option_value(const TrainOptions& options, std::string_view name) {
    const NumericOption* option = find_numeric(options.feedback, name);
    if (option != nullptr) return option->get(options);
    option_scope(options.feedback, name);  // says what is known
    throw InvalidArgument("option " + quoted(name) + " is not a number");
}

}  // namespace mf
