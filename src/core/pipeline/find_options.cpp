#include "core/pipeline/held_out.hpp"
#include "core/pipeline/find_options.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <deque>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/rounded.hpp"
#include "core/data/sample.hpp"
#include "core/data/value_statistics.hpp"
#include "core/evaluation/metrics.hpp"
#include "core/pipeline/deadline.hpp"
#include "core/pipeline/train.hpp"
#include "core/training/trainers.hpp"

namespace mf {
namespace {

constexpr double kWorst = -std::numeric_limits<double>::infinity();
constexpr double kHeldOut = 0.1;
constexpr std::uint64_t kMostCells = 1'500'000;
constexpr std::uint64_t kFewestRows = 1000;
constexpr std::uint32_t kFewestUsers = 50;
constexpr std::size_t kMostUsers = 5000;  // whose lists are measured
// Longer than lists that are shown: then NDCG has about half the error, and the best points are the same.
constexpr std::size_t kListLength = 50;
constexpr int kTrialIterations = 3;

// Bounds of the number of ranking factors, and CPU seconds that more than the fewest may take.
constexpr int kFewestFactors = 64;
constexpr int kMostFactors = 512;
constexpr double kMostSeconds = 90;
// A training run that takes no longer takes more factors as long as a gain cannot be excluded.
constexpr double kFewSeconds = 4;

/// One kind of factors, and how it is searched.
struct Kind {
    OptionScope scope;
    const char* factors;      ///< name of their number
    std::vector<int> counts;  ///< numbers to try, ascending
    /// Whether the best of the other options depends on the number of factors so much that they are searched for each;
    /// otherwise for the fewest, and for half of the number found.
    bool for_each_count;
    double least_gain;  ///< of the sum, for which it is worth to go to another point
    double SearchPoint::*shown;
    int& (*iterations)(TrainOptions&);
    /// Trains and measures: a value for each user, whose sum is the greater the better.
    std::function<std::vector<double>(const TrainOptions&, Environment&)> measure;
    std::function<double(double)> show;                 ///< what a sum is shown as
    std::function<bool(const TrainOptions&)> is_cheap;  ///< so that more factors need no proof of their gain
};

/// CPU seconds that a training run of ranking factors takes on a processor of 2020, within a factor of two.
double ranking_seconds(std::uint64_t users, std::uint64_t items, std::uint64_t cells, const TrainOptions& options) {
    TrainOptions copy = options;
    const double k = options.factors;
    const double rows = static_cast<double>(users) + static_cast<double>(items);
    return ranking_trainer(options).iterations(copy) * (1.6e-9 * k * static_cast<double>(cells) + 1e-10 * k * k * rows);
}

constexpr int kDigits = 3;  // finer than any measure

/// The option of that name, nullptr if it is not open.
const OpenOption* find_option(const std::vector<OpenOption>& open, std::string_view name) {
    const auto found = std::ranges::find(open, name, &OpenOption::name);
    return found == open.end() ? nullptr : &*found;
}

class Finder {
  public:
    Finder(const TrainOptions& options, Environment& environment, FoundOptions& result)
        : open_(open_options(options)),
          begin_(options),
          options_(options),
          deadline_(options.search.seconds),
          environment_(environment),
          result_(result) {
        // Whatever is found for the ranking factors.
        if (open("rating_factors") != nullptr) set("rating_factors", options_.factors);
    }

    void search(const Kind& kind) {
        if (std::ranges::none_of(open_, [&](const OpenOption& option) { return is_for(option, kind); })) return;
        const bool is_searched = open(kind.factors) != nullptr;
        const int given = static_cast<int>(option_value(options_, kind.factors));
        const int fewest = is_searched ? kind.counts.front() : std::min(given, kind.counts.back());
        set(kind.factors, fewest);
        const Measured* best = climb(kind);
        if (best == nullptr) return set(kind.factors, given);
        if (is_searched) grow(kind, best);
        const int found = is_searched ? static_cast<int>(option_value(options_, kind.factors)) : given;
        if (!kind.for_each_count && found / 2 > fewest) {
            set(kind.factors, found / 2);
            climb(kind);
        }
        set(kind.factors, found);
    }

    /// Takes over what was found.
    void finish() {
        if (was_cut_) result_.notes.push_back("the time for the search ended before all numbers were found");
        if (result_.points.empty()) return;
        for (const OpenOption& option : open_)
            result_.found.push_back({option.name, option_value(options_, option.name)});
        apply_settings(result_.found, result_.options);
    }

  private:
    /// A point that was trained and measured.
    struct Measured {
        const Kind* kind;
        int factors;
        std::size_t point;           ///< of result_.points
        std::vector<double> values;  ///< none: it cannot be trained
        double sum;
    };

    static bool is_for(const OpenOption& option, const Kind& kind) {
        return option.scope == kind.scope || option.name == kind.factors;
    }

    void set(const char* name, double value) { set_option(options_, name, value); }

    /// Trains and measures at options_, or at what is known of the same point; null after the deadline.
    const Measured* measure(const Kind& kind, TrainOptions options) {
        const int factors = static_cast<int>(option_value(options, kind.factors));
        Settings settings;
        for (const OpenOption& option : open_)
            if (is_for(option, kind)) settings.push_back({option.name, option_value(options, option.name)});
        for (const Measured& known : measured_)
            if (known.kind == &kind && known.factors == factors && result_.points[known.point].settings == settings)
                return &known;

        was_cut_ = was_cut_ || deadline_.is_over();
        if (was_cut_) return nullptr;
        Measured point{&kind, factors, result_.points.size(), {}, kWorst};
        int& iterations = kind.iterations(options);
        iterations = std::min(iterations, kTrialIterations);
        Environment limited = environment_;
        limited.on_phase = {};
        bool in_time = true;
        limited.on_iteration = [&](const Iteration& iteration) {
            in_time = iteration.iteration == iteration.total || !deadline_.is_over();
            return in_time;
        };
        try {
            point.values = kind.measure(options, limited);
            point.sum = std::accumulate(point.values.begin(), point.values.end(), 0.0);
        } catch (const NumericalFailure&) {
        }
        was_cut_ = !in_time;
        if (was_cut_) return nullptr;
        SearchPoint& shown = result_.points.emplace_back();
        shown.settings = std::move(settings);
        const double number = point.values.empty() ? std::numeric_limits<double>::quiet_NaN() : kind.show(point.sum);
        shown.*kind.shown = number;
        measured_.push_back(std::move(point));
        if (environment_.on_iteration) {
            constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
            environment_.on_iteration({"search", static_cast<int>(result_.points.size()), 0, kNone, number});
        }
        return &measured_.back();
    }

    struct Gain {
        double relative;
        double error;  ///< standard error, from the differences for each user
    };

    static Gain gain(const Measured& from, const Measured& to) {
        if (to.values.empty()) return {kWorst, 0};
        if (from.values.empty()) return {-kWorst, 0};
        const double mean = (to.sum - from.sum) / static_cast<double>(to.values.size());
        double squares = 0;
        for (std::size_t i = 0; i < to.values.size(); ++i) {
            const double difference = to.values[i] - from.values[i] - mean;
            squares += difference * difference;
        }
        const double scale = std::max(std::fabs(from.sum), std::numeric_limits<double>::min());
        return {(to.sum - from.sum) / scale, std::sqrt(squares) / scale};
    }

    const OpenOption* open(std::string_view name) const { return find_option(open_, name); }

    /// Moves an option by a number of its steps, on the grid around its value at the beginning; false if that leads out
    /// of its range.
    bool move(TrainOptions& options, const OpenOption& option, double steps) const {
        const double origin = option_value(begin_, option.name);
        const double position = std::log(option_value(options, option.name) / origin) / std::log(option.step);
        const double value = rounded_to(kDigits, origin * std::pow(option.step, std::round(position + steps)));
        if (value < option.range.minimum || value > option.range.maximum) return false;
        set_option(options, option.name, value);
        return true;
    }

    /// The options one step up (1) or down (-1), with those of the companion; nothing outside the ranges.
    std::optional<TrainOptions> step(const OpenOption& option, int direction) const {
        TrainOptions next = options_;
        if (!move(next, option, direction)) return std::nullopt;
        if (const OpenOption* companion = open(option.companion)) {
            const double steps = direction * std::log(option.step) / std::log(companion->step) / 2;
            if (!move(next, *companion, steps)) return std::nullopt;
        }
        return next;
    }

    /// Moves every option but the number of factors, one after the other, step by step, as long as a step is better.
    /// Returns the point there; null if there is none in time.
    const Measured* climb(const Kind& kind) {
        const Measured* best = measure(kind, options_);
        if (best == nullptr) return nullptr;
        for (const OpenOption& option : open_) {
            if (!is_for(option, kind) || option.name == kind.factors) continue;
            const Measured* const before = best;
            for (const int direction : {-1, 1}) {
                while (take(kind, step(option, direction), best)) continue;
                if (best != before) break;
            }
        }
        return best;
    }

    /// Goes to the next point if it is better by what counts, and by more than chance.
    bool take(const Kind& kind, const std::optional<TrainOptions>& next, const Measured*& best) {
        if (!next) return false;
        const Measured* const there = measure(kind, *next);
        if (there == nullptr) return false;
        const Gain found = gain(*best, *there);
        if (!(found.relative > std::max(kind.least_gain, found.error))) return false;
        best = there;
        options_ = *next;
        return true;
    }

    /// Raises the number of factors from the first one as long as that gains. Gains fall from one number to the next,
    /// and each is measured with some error, so the mean of the last two decides; where factors are cheap, a gain
    /// within the error is enough.
    void grow(const Kind& kind, const Measured* best) {
        std::optional<double> gain_before;
        for (std::size_t i = 1; i < kind.counts.size(); ++i) {
            const TrainOptions before = options_;
            set(kind.factors, kind.counts[i]);
            const Measured* const next = kind.for_each_count ? climb(kind) : measure(kind, options_);
            const Gain found = next != nullptr ? gain(*best, *next) : Gain{kWorst, 0};
            const double now = found.relative;
            const double doubt = kind.is_cheap(options_) ? 2 * found.error : 0;
            if (!((now + gain_before.value_or(now)) / 2 + doubt >= kind.least_gain)) {
                options_ = before;
                return;
            }
            gain_before = now;
            best = next;
        }
    }

    std::vector<OpenOption> open_;
    const TrainOptions begin_;
    TrainOptions options_;
    Deadline deadline_;
    bool was_cut_ = false;  ///< by the deadline
    Environment& environment_;
    FoundOptions& result_;
    std::deque<Measured> measured_;  ///< stay where they are
};

void add_popularity_note(double popularity, FoundOptions& result) {
    double best = kWorst;
    for (const SearchPoint& point : result.points) best = std::max(best, std::isnan(point.ndcg) ? kWorst : point.ndcg);
    if (!std::isfinite(best) || best >= popularity) return;
    char text[160];
    std::snprintf(text, sizeof text,
                  "lists of the most popular items are better than those of the model on held-out rows: NDCG@50 %.4f "
                  "against %.4f",
                  popularity, best);
    result.notes.push_back(text);
}

/// Whether a training run with that many ranking factors, and the search for it, fit into the memory allowed.
bool fits(std::uint64_t users, std::uint64_t items, std::uint64_t cells, TrainOptions options, int factors,
          int threads) {
    options.factors = factors;
    // The part that is searched is held out of, and lies beside the cells.
    if (cells <= kMostCells) options.test_fraction = std::max(options.test_fraction, kHeldOut);
    return training_memory(users, items, cells, 0, options, threads) <= options.search.memory;
}

}  // namespace

bool needs_search(const TrainOptions& options) { return options.search.enabled && !open_options(options).empty(); }

int most_factors(std::uint64_t users, std::uint64_t items, std::uint64_t cells, const TrainOptions& options,
                 int threads) {
    TrainOptions one = options;
    one.factors = kFewestFactors;
    const double most_seconds = std::max(kMostSeconds, ranking_seconds(users, items, cells, one));
    int most = one.factors;
    while (most < kMostFactors) {
        one.factors = 2 * most;
        if (2 * static_cast<std::uint64_t>(one.factors) > std::min(users, items) ||
            ranking_seconds(users, items, cells, one) > most_seconds ||
            !fits(users, items, cells, options, one.factors, threads))
            break;
        most = one.factors;
    }
    return most;
}

FoundOptions find_options(const Csr& cells, const IdHashes& hashes, const TrainOptions& options,
                          Environment& environment) {
    FoundOptions result;
    result.options = options;
    result.options.search.enabled = false;
    if (!needs_search(options)) return result;

    if (rating_trainer(options) != nullptr) {
        const ValueStatistics values = value_statistics(cells.values, environment);
        if (values.minimum == values.maximum) {
            result.notes.push_back("all ratings are equal, so that no numbers can be found: the defaults are used");
            return result;
        }
    }
    const int fewest = find_option(open_options(options), "factors") != nullptr ? kFewestFactors : options.factors;
    if (!fits(cells.rows(), cells.column_count, cells.entries(), options, fewest, environment.threads)) {
        result.notes.push_back("too little memory for a search: the defaults are used");
        return result;
    }
    std::optional<HashedCells> sample;
    if (cells.entries() > kMostCells) sample = sample_users(cells, hashes, kMostCells);
    const HoldOut parts =
        held_out_rows(sample ? sample->cells : cells, sample ? sample->hashes : hashes, kHeldOut, options, environment);
    if (parts.test.entries() < kFewestRows || occupied_rows(parts.test) < kFewestUsers) {
        result.notes.push_back("too few interactions to find numbers from: the defaults are used");
        return result;
    }
    const Csr by_item = transpose(parts.train, environment);
    const Csr lists = sample_rows(parts.test, kMostUsers);
    Finder finder(options, environment, result);
    const RankingTrainer& ranking = ranking_trainer(options);
    const auto users = static_cast<double>(occupied_rows(lists));
    Kind lists_kind{OptionScope::Ranking,
                    "factors",
                    {},
                    false,
                    0.003,
                    &SearchPoint::ndcg,
                    ranking.iterations,
                    [&](const TrainOptions& one, Environment& limited) {
                        const RankingModel model = ranking.train({parts.train, by_item}, one, limited, {}, nullptr);
                        return list_ndcgs(model, parts.train, lists, kListLength, limited);
                    },
                    [&](double sum) { return sum / users; },
                    [&](const TrainOptions& one) {
                        return ranking_seconds(cells.rows(), cells.column_count, cells.entries(), one) < kFewSeconds;
                    }};
    const int most = most_factors(cells.rows(), cells.column_count, cells.entries(), options, environment.threads);
    for (int count = kFewestFactors; count <= most; count *= 2) lists_kind.counts.push_back(count);
    finder.search(lists_kind);
    add_popularity_note(measure_popularity(parts.train, lists, kListLength, environment).mean_ndcg(), result);
    if (const RatingTrainer* rating = rating_trainer(options)) {
        const auto ratings = static_cast<double>(parts.test.entries());
        // A gain of 0.2% of the squared errors is one of 0.1% of the RMSE.
        const Kind ratings_kind{OptionScope::Rating,
                                "rating_factors",
                                {8, 16, 32, 64},
                                true,
                                0.002,
                                &SearchPoint::rmse,
                                rating->iterations,
                                [&](const TrainOptions& one, Environment& limited) {
                                    const RatingModel model = rating->train(
                                        {parts.train, by_item}, for_rating_factors(one), limited, {}, nullptr);
                                    std::vector<double> errors = squared_errors(model, parts.test, limited);
                                    for (double& error : errors) error = -error;
                                    return errors;
                                },
                                [&](double sum) { return std::sqrt(-sum / ratings); },
                                [](const TrainOptions&) { return true; }};
        finder.search(ratings_kind);
    }
    finder.finish();
    return result;
}

}  // namespace mf
