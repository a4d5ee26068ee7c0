#include "core/training/options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "core/base/error.hpp"
#include "core/training/named_options.hpp"
#include "core/training/trainers.hpp"

namespace mf {
namespace {

/// A number in decimal notation, independent of the locale: 15 digits where they identify it, 17 otherwise.
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

int whole_number(std::string_view name, double value) {
    if (value == std::trunc(value) && std::abs(value) <= std::numeric_limits<int>::max())
        return static_cast<int>(value);
    throw InvalidArgument("option " + quoted(name) + " must be a whole number, not " + number_text(value));
}

constexpr NumericOption kFactors = {
    "factors",
    false,
    true,
    1,
    kMaximumFactors,
    [](TrainOptions& options, double value) { options.factors = static_cast<int>(value); },
    [](const TrainOptions& options) { return static_cast<double>(options.factors); },
    {},
    2};

constexpr NumericOption kRatingFactors = {
    "rating_factors",
    false,
    true,
    1,
    kMaximumFactors,
    [](TrainOptions& options, double value) { options.rating_factors = static_cast<int>(value); },
    [](const TrainOptions& options) { return static_cast<double>(options.rating_factors_or_default()); },
    {},
    2};

constexpr Word<Duplicates> kDuplicatesWords[] = {
    {"mean", Duplicates::Mean}, {"sum", Duplicates::Sum}, {"last", Duplicates::Last}, {"error", Duplicates::Error}};

constexpr WordOption kDuplicates = {
    "duplicates",
    [](TrainOptions& options, std::string_view word) { return set_word(options.duplicates, kDuplicatesWords, word); },
    "The values are \"mean\", \"sum\", \"last\" and \"error\"."};

constexpr Word<Storage> kStorageWords[] = {{"single", Storage::Single}, {"half", Storage::Half}};

constexpr WordOption kStorage = {
    "storage",
    [](TrainOptions& options, std::string_view word) { return set_word(options.storage, kStorageWords, word); },
    "The values are \"single\" and \"half\"."};

constexpr Word<Solver> kSolverWords[] = {{"cholesky", Solver::Cholesky},
                                         {"conjugate_gradient", Solver::ConjugateGradient}};

constexpr WordOption kSolver = {
    "solver", [](TrainOptions& options, std::string_view word) { return set_word(options.solver, kSolverWords, word); },
    "The values are \"cholesky\" and \"conjugate_gradient\"."};

/// An option under the name that it has for the algorithms in use.
template <class Option>
struct Named {
    std::string name;
    const Option* option;
    OptionScope scope;
};

/// The name of an option that trainers of both kinds of factors may have, for the ranking factors.
std::string ranking_name(std::string_view name, const TrainOptions& options) {
    return (rating_trainer(options) != nullptr ? "ranking_" : "") + std::string(name);
}

/// In the order of their checks.
std::vector<Named<NumericOption>> numeric_options(const TrainOptions& options) {
    const RatingTrainer* rating = rating_trainer(options);
    std::vector<Named<NumericOption>> result{
        {"factors", &kFactors, rating != nullptr ? OptionScope::Both : OptionScope::Ranking}};
    if (rating != nullptr) {
        result.push_back({"rating_factors", &kRatingFactors, OptionScope::Rating});
        for (const NumericOption& option : rating->options)
            result.push_back({std::string(option.name), &option, OptionScope::Rating});
    }
    for (const NumericOption& option : ranking_trainer(options).options) {
        const std::string name = option.is_general ? ranking_name(option.name, options) : std::string(option.name);
        result.push_back({name, &option, OptionScope::Ranking});
    }
    return result;
}

std::vector<Named<WordOption>> word_options(const TrainOptions& options) {
    const RatingTrainer* rating = rating_trainer(options);
    std::vector<Named<WordOption>> result{
        {"duplicates", &kDuplicates, OptionScope::Data},
        {"storage", &kStorage, OptionScope::Data},
        {"solver", &kSolver, rating != nullptr ? OptionScope::Both : OptionScope::Ranking}};
    if (rating != nullptr)
        for (const WordOption& option : rating->words)
            result.push_back({std::string(option.name), &option, OptionScope::Rating});
    for (const WordOption& option : ranking_trainer(options).words)
        result.push_back({std::string(option.name), &option, OptionScope::Ranking});
    return result;
}

template <class Option>
std::optional<Named<Option>> find(const std::vector<Named<Option>>& all, std::string_view name) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
    if (found == all.end()) return std::nullopt;
    return *found;
}

bool is_resolved_elsewhere(std::string_view name) {
    return std::ranges::find(kResolvedElsewhere, name) != std::end(kResolvedElsewhere);
}

/// Levenshtein's distance: the fewest letters to add, remove or replace. O(|a| · |b|).
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

[[noreturn]] void raise_unknown(const TrainOptions& options, std::string_view name) {
    const bool is_explicit = options.feedback == Feedback::Explicit;
    const std::string kind = is_explicit ? "explicit" : "implicit";
    const std::vector<std::string> names = option_names(options);
    std::string known;
    for (const std::string& one : names) known += (known.empty() ? "" : ", ") + one;
    const std::string all = "The options for " + kind + " feedback are " + known + ".";

    TrainOptions other;
    other.feedback = is_explicit ? Feedback::Implicit : Feedback::Explicit;
    const std::vector<std::string> other_names = option_names(other);
    if (std::ranges::find(other_names, name) != other_names.end())
        throw InvalidArgument(
            "option " + quoted(name) + " is for " + (is_explicit ? "implicit" : "explicit") + " feedback only", all,
            "Leave it out, or pass feedback => '" + std::string(is_explicit ? "implicit" : "explicit") + "'.");

    constexpr std::size_t kLongest = 64, kMostLetters = 3;  // nobody mistypes more
    const auto distance = [name](const std::string& one) { return edit_distance(name, one); };
    if (name.size() <= kLongest) {
        const auto nearest = std::ranges::min_element(names, {}, distance);
        if (distance(*nearest) <= std::min(kMostLetters, nearest->size() / 3))
            throw InvalidArgument("unknown option " + quoted(name), all, "Perhaps you meant " + quoted(*nearest) + ".");
    }
    throw InvalidArgument("unknown option " + quoted(name), {}, all);
}

}  // namespace

void TrainOptions::validate() const {
    require_range("test_fraction", test_fraction, 0, 0.9);
    for (const auto& [name, option, scope] : numeric_options(*this))
        require_range(name.c_str(), option->get(*this), option->minimum, option->maximum);
}

std::vector<std::string> option_names(const TrainOptions& options) {
    std::vector<std::string> names(std::begin(kResolvedElsewhere), std::end(kResolvedElsewhere));
    for (const auto& word : word_options(options)) names.push_back(word.name);
    for (const auto& number : numeric_options(options)) names.push_back(number.name);
    std::sort(names.begin(), names.end());
    return names;
}

void set_option(TrainOptions& options, std::string_view name, double value) {
    if (const auto number = find(numeric_options(options), name)) {
        number->option->set(options, number->option->is_whole ? whole_number(name, value) : value);
        if (std::ranges::find(options.given, name) == options.given.end()) options.given.emplace_back(name);
        return;
    }
    if (!find(word_options(options), name) && !is_resolved_elsewhere(name)) raise_unknown(options, name);
    throw InvalidArgument("option " + quoted(name) + " must be a string, not the number " + number_text(value));
}

void set_option(TrainOptions& options, std::string_view name, std::string_view value) {
    if (is_resolved_elsewhere(name)) throw std::logic_error("option " + quoted(name) + " is not one of the core");
    if (find(numeric_options(options), name))
        throw InvalidArgument("option " + quoted(name) + " must be a number, not " + quoted(value));
    const auto word = find(word_options(options), name);
    if (!word) raise_unknown(options, name);
    if (!word->option->set(options, value))
        throw InvalidArgument("option " + quoted(name) + " does not accept the value " + quoted(value), {},
                              word->option->words);
}

OptionScope option_scope(const TrainOptions& options, std::string_view name) {
    if (const auto number = find(numeric_options(options), name)) return number->scope;
    if (const auto word = find(word_options(options), name)) return word->scope;
    if (!is_resolved_elsewhere(name)) raise_unknown(options, name);
    return OptionScope::Data;
}

bool option_is_whole(const TrainOptions& options, std::string_view name) {
    const auto number = find(numeric_options(options), name);
    if (!number) option_scope(options, name);  // throws for an unknown name
    return number && number->option->is_whole;
}

bool option_is_text(const TrainOptions& options, std::string_view name) {
    option_scope(options, name);  // throws for an unknown name
    return !find(numeric_options(options), name);
}

std::vector<OpenOption> open_options(const TrainOptions& options) {
    const auto is_given = [&](std::string_view name) {
        return std::ranges::find(options.given, name) != options.given.end();
    };
    std::vector<OpenOption> open;
    for (const auto& [name, option, scope] : numeric_options(options)) {
        // Without a number of their own, rating factors are as many as the ranking factors.
        const bool follows = option == &kRatingFactors && is_given("factors");
        if (option->found_step == 0 || is_given(name) || follows) continue;
        std::string companion(option->companion);
        if (!companion.empty() && scope == OptionScope::Ranking) companion = ranking_name(companion, options);
        open.push_back({name, scope, option->search[options.feedback == Feedback::Explicit ? 0 : 1], option->found_step,
                        is_given(companion) ? "" : companion});
    }
    return open;
}

double option_value(const TrainOptions& options, std::string_view name) {
    if (const auto number = find(numeric_options(options), name)) return number->option->get(options);
    option_scope(options, name);  // throws for an unknown name
    throw InvalidArgument("option " + quoted(name) + " is not a number");
}

std::vector<std::pair<std::string, SearchRange>> searched_options(const TrainOptions& options) {
    std::vector<std::pair<std::string, SearchRange>> result;
    for (const auto& [name, option, scope] : numeric_options(options)) {
        const SearchRange& range = option->search[options.feedback == Feedback::Explicit ? 0 : 1];
        if (range.minimum < range.maximum) result.emplace_back(name, range);
    }
    return result;
}

}  // namespace mf
