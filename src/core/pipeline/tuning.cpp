#include "core/pipeline/tuning.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

#include "core/pipeline/held_out.hpp"
#include "core/base/error.hpp"
#include "core/data/split.hpp"
#include "core/evaluation/metrics.hpp"
#include "core/pipeline/deadline.hpp"
#include "core/pipeline/find_options.hpp"
#include "core/training/trainers.hpp"

namespace mf {
namespace {

using Clock = std::chrono::steady_clock;

/// Of the points that take part in a round, the share that takes part in the next one.
constexpr std::size_t kKeepOneOf = 3;
std::size_t kept(std::size_t points) { return (points + kKeepOneOf - 1) / kKeepOneOf; }
/// Parts of the iterations that the rounds train for.
constexpr double kRounds[] = {0.25, 0.5, 1.0};

/// One point under way.
struct Candidate {
    Trial trial;
    TrainOptions options;
    int rounds = 0;      ///< measured
    double measure = 0;  ///< in the last of them; greater is better
};

/// One kind of factors: how many iterations, and how good they make a candidate.
struct Kind {
    int& (*iterations)(TrainOptions&);
    /// Trains and measures; greater is better. The environment's on_iteration ends it at the deadline.
    std::function<double(const TrainOptions&, Environment&)> measure;
    void (*record)(Trial&, double);
};

/// Parts of the iterations that each round trains for: no more rounds than make a difference.
std::vector<double> rounds_for(const std::vector<Candidate>& candidates, const Kind& kind) {
    const auto differ = [&](double part, double other) {
        return std::ranges::any_of(candidates, [&](Candidate candidate) {
            const int all = kind.iterations(candidate.options);
            return std::ceil(part * all) != std::ceil(other * all);
        });
    };
    std::vector<double> rounds;
    for (const double part : kRounds)
        if (rounds.empty() || differ(part, rounds.back())) rounds.push_back(part);
    std::size_t useful = 1;
    for (std::size_t points = candidates.size(); points > kKeepOneOf; points = kept(points)) ++useful;
    if (rounds.size() > useful) rounds.erase(rounds.begin(), rounds.end() - static_cast<std::ptrdiff_t>(useful));
    return rounds;
}

/// Training runs of all rounds.
int training_runs(const std::vector<Candidate>& candidates, const Kind& kind) {
    std::size_t points = candidates.size();
    std::size_t sum = 0;
    for (std::size_t round = rounds_for(candidates, kind).size(); round > 0; --round, points = kept(points))
        sum += points;
    return static_cast<int>(sum);
}

bool is_better(const Candidate& a, const Candidate& b) {
    if (a.rounds != b.rounds) return a.rounds > b.rounds;
    if (a.measure != b.measure) return a.measure > b.measure;
    return a.trial.number < b.trial.number;
}

class Search {
  public:
    Search(const TuningOptions& tuning, Environment& environment)
        : deadline_(tuning.seconds), environment_(environment) {}

    void plan(int training_runs) {
        planned_ = training_runs;
        if (environment_.on_phase) environment_.on_phase("tuning", planned_);
    }

    /// Candidates that were measured at least once, the best first.
    std::vector<Candidate> run(std::vector<Candidate> candidates, const Kind& kind) {
        std::size_t alive = candidates.size();
        for (const double part : rounds_for(candidates, kind)) {
            for (std::size_t i = 0; i < alive && !deadline_.is_over(); ++i) measure(candidates[i], part, kind);
            std::ranges::sort(candidates, is_better);
            alive = kept(alive);
            if (deadline_.is_over()) break;
        }
        std::erase_if(candidates, [](const Candidate& candidate) { return candidate.rounds == 0; });
        return candidates;
    }

    /// The reason why a candidate could not be trained, if there was one.
    std::exception_ptr failure() const { return failure_; }

  private:
    void measure(Candidate& candidate, double part, const Kind& kind) {
        const auto begin = Clock::now();
        TrainOptions options = candidate.options;
        int& iterations = kind.iterations(options);
        iterations = static_cast<int>(std::ceil(part * iterations));
        bool in_time = true;
        Environment limited = environment_;
        limited.on_phase = {};
        limited.on_iteration = [&](const Iteration& iteration) {
            in_time = iteration.iteration == iteration.total || !deadline_.is_over();
            return in_time;
        };
        double measure = -std::numeric_limits<double>::infinity();
        try {
            measure = kind.measure(options, limited);
        } catch (const NumericalFailure&) {
            failure_ = std::current_exception();
        }
        candidate.trial.seconds += std::chrono::duration<double>(Clock::now() - begin).count();
        if (!in_time) return;
        ++candidate.rounds;
        candidate.measure = measure;
        candidate.trial.iterations = iterations;
        if (std::isfinite(measure)) kind.record(candidate.trial, measure);
        if (environment_.on_iteration)
            environment_.on_iteration(
                {"tuning", ++done_, planned_, std::numeric_limits<double>::quiet_NaN(), std::fabs(measure)});
    }

    Deadline deadline_;
    Environment& environment_;
    int planned_ = 0;
    int done_ = 0;
    std::exception_ptr failure_;
};

/// The dimensions of one kind of factors.
SearchSpace part_of(const SearchSpace& space, const TrainOptions& base, OptionScope scope, bool with_factors) {
    SearchSpace part;
    for (const SearchDimension& dimension : space) {
        const OptionScope own = option_scope(base, dimension.name);
        if (own == scope || (own == OptionScope::Both && with_factors)) part.push_back(dimension);
    }
    return part;
}

/// The points with what was found from the data for the same kind of factors, unless a point says otherwise.
std::vector<Candidate> candidates_of(const std::vector<Settings>& points, const FoundOptions& first, OptionScope scope,
                                     int first_number) {
    std::vector<Candidate> candidates;
    for (const Settings& point : points) {
        Candidate candidate;
        candidate.trial.number = first_number + static_cast<int>(candidates.size());
        candidate.trial.parameters = point;
        for (const Setting& setting : first.found) {
            const bool is_rating = option_scope(first.options, setting.name) == OptionScope::Rating;
            if (is_rating == (scope == OptionScope::Rating) &&
                std::ranges::find(point, setting.name, &Setting::name) == point.end())
                candidate.trial.parameters.push_back(setting);
        }
        candidate.options = first.options;
        apply_settings(candidate.trial.parameters, candidate.options);
        candidates.push_back(std::move(candidate));
    }
    return candidates;
}

void append(std::vector<Trial>& trials, const std::vector<Candidate>& candidates) {
    for (const Candidate& candidate : candidates) trials.push_back(candidate.trial);
}

/// The options to begin with: those that were not given are found from the data, but for those in a list, each value of
/// which is tried.
FoundOptions first_options(TrainOptions options, const SearchSpace& space, const TuningOptions& tuning,
                           const Csr& cells, const IdHashes& hashes, Environment& environment) {
    for (const SearchDimension& dimension : space)
        if (!dimension.values.empty()) options.given.push_back(dimension.name);
    options.search.seconds = std::min(options.search.seconds, tuning.seconds / 4);
    return find_options(cells, hashes, options, environment);
}

}  // namespace

std::vector<Trial> tune(const Dataset& dataset, const TrainOptions& options, const SearchSpace& space,
                        const TuningOptions& tuning, Environment& environment, const KnownFeatures& features) {
    if (tuning.trials < 1 || tuning.trials > kMostTrials)
        throw InvalidArgument("trials must be between 1 and " + std::to_string(kMostTrials) + ", not " +
                              std::to_string(tuning.trials));
    if (!(tuning.seconds > 0)) throw InvalidArgument("seconds must be above 0");
    options.validate();
    const auto count = static_cast<std::size_t>(tuning.trials);
    const std::uint64_t seed = options.seed;
    const IdHashes hashes = id_hashes(dataset, environment);
    const HoldOut parts = held_out_rows(dataset.by_user, hashes, options.test_fraction, options, environment);
    if (parts.test.entries() == 0)
        throw InvalidData("there are no rows to measure on",
                          "At least one row of each user stays in training, and no user has enough to hold one out.",
                          "Use more rows, or a greater test_fraction.");
    const Csr by_item = transpose(parts.train, environment);
    std::vector<FeatureScale> scales;
    const auto of_items = side_features(features.items, scales, environment);
    const auto of_users = side_features(features.users, scales, environment);
    const TrainingData data{parts.train, by_item, of_items ? &*of_items : nullptr, of_users ? &*of_users : nullptr};

    Search search(tuning, environment);
    FoundOptions begin = first_options(options, space, tuning, parts.train, hashes, environment);
    const TrainOptions base = begin.options;
    const SearchSpace rating_only = part_of(space, base, OptionScope::Rating, false);
    const SearchSpace ranking_only = part_of(space, base, OptionScope::Ranking, false);
    const bool factors_with_ranking = !ranking_only.empty() || rating_only.empty();
    const SearchSpace ranking = part_of(space, base, OptionScope::Ranking, factors_with_ranking);
    const SearchSpace rating = part_of(space, base, OptionScope::Rating, !factors_with_ranking);
    const RankingTrainer& ranking_trainer = mf::ranking_trainer(base);
    const RatingTrainer* rating_trainer = mf::rating_trainer(base);
    const Kind by_ndcg{ranking_trainer.iterations,
                       [&](const TrainOptions& one, Environment& limited) {
                           const RankingModel model = ranking_trainer.train(data, one, limited, {}, nullptr);
                           return measure_lists(model, parts.train, parts.test, tuning.k, limited).mean_ndcg();
                       },
                       [](Trial& trial, double measure) { trial.ndcg = measure; }};
    // Without rating factors it has no points.
    const Kind by_rmse{rating_trainer != nullptr ? rating_trainer->iterations : ranking_trainer.iterations,
                       [&](const TrainOptions& one, Environment& limited) {
                           const RatingModel model =
                               rating_trainer->train(data, for_rating_factors(one), limited, {}, nullptr);
                           return -measure_predictions(model, parts.test, limited).rmse();
                       },
                       [](Trial& trial, double measure) { trial.rmse = -measure; }};
    const std::vector<Candidate> to_rank =
        candidates_of(spread_points(ranking, base, count, seed), begin, OptionScope::Ranking, 1);
    const std::vector<Settings> rating_points = spread_points(rating, base, count, seed);
    const int next_number = static_cast<int>(to_rank.size()) + 1;
    search.plan(training_runs(to_rank, by_ndcg) +
                training_runs(candidates_of(rating_points, begin, OptionScope::Rating, next_number), by_rmse));

    std::vector<Trial> trials;
    append(trials, search.run(to_rank, by_ndcg));
    const bool has_ranking = !trials.empty();
    if (has_ranking) apply_settings(trials.front().parameters, begin.options);
    const std::vector<Candidate> rated =
        search.run(candidates_of(rating_points, begin, OptionScope::Rating, next_number), by_rmse);
    append(trials, rated);

    if (trials.empty())
        throw InvalidArgument("no trial ended within the seconds allowed", {},
                              "Allow more seconds, or fewer factors or iterations.");
    if (std::ranges::all_of(trials, [](const Trial& t) { return std::isnan(t.rmse) && std::isnan(t.ndcg); }))
        std::rethrow_exception(search.failure());
    if (has_ranking && !rated.empty()) {
        Trial& first = trials.front();
        const Trial& best = rated.front().trial;
        first.parameters.insert(first.parameters.end(), best.parameters.begin(), best.parameters.end());
        first.rmse = best.rmse;
    }
    return trials;
}

}  // namespace mf
