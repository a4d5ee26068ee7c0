#include "core/distributed/schedule.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/linalg/eigenbasis.hpp"
#include "core/linalg/gram_matrix.hpp"
#include "core/pipeline/warm_start.hpp"
#include "core/training/als_start.hpp"
#include "core/training/early_stop.hpp"
#include "core/training/factor_init.hpp"
#include "core/training/trainers.hpp"

namespace mf {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// Users whose lists are measured after every iteration, as in a local run.
constexpr double kEarlyStopUsers = 1000;

const char* phase_of(FactorKind kind) { return kind == FactorKind::Rating ? "rating factors" : "ranking factors"; }

FactorMatrix copy_of_turn(const FactorMatrix& turn) {
    Environment environment;
    return copy_of(turn, environment);
}

// Qᵀ G Q, in double precision.
std::vector<double> turned(const std::vector<double>& gram, const FactorMatrix& images) {
    const auto k = static_cast<Eigen::Index>(images.factors());
    Eigen::MatrixXd g(k, k), q(k, k);
    std::size_t at = 0;
    for (Eigen::Index i = 0; i < k; ++i)
        for (Eigen::Index j = i; j < k; ++j) g(i, j) = g(j, i) = gram[at++];
    for (Eigen::Index i = 0; i < k; ++i)
        for (Eigen::Index j = 0; j < k; ++j) q(i, j) = static_cast<double>(images.row(static_cast<std::size_t>(i))[j]);
    const Eigen::MatrixXd result = q.transpose() * g * q;
    std::vector<double> values(gram.size());
    at = 0;
    for (Eigen::Index i = 0; i < k; ++i)
        for (Eigen::Index j = i; j < k; ++j) values[at++] = result(i, j);
    return values;
}

double trace(const std::vector<double>& gram, int factors) {
    double sum = 0;
    std::size_t at = 0;
    for (int i = 0; i < factors; at += static_cast<std::size_t>(factors - i), ++i) sum += gram[at];
    return sum;
}

std::uint32_t sum_of_counts(const std::vector<std::uint32_t>& counts) { return RowNumbers(counts).rows(); }

}  // namespace

Schedule::Schedule(const TrainOptions& options, DistributedData data)
    : options_(options),
      data_(std::move(data)),
      stage_(options.feedback == Feedback::Explicit ? Stage::Values : Stage::Weights),
      als_{options.als.regularization, options.als.regularization_exponent, options.als.bias_regularization} {
    for (double* metric : {&summary_.train_rmse, &summary_.test_rmse, &summary_.test_ndcg, &summary_.test_coverage,
                           &summary_.test_bias_rmse, &summary_.test_popularity_ndcg})
        *metric = kNaN;
    summary_.users = sum_of_counts(data_.user_counts);
    summary_.items = sum_of_counts(data_.item_counts);
    summary_.ratings = data_.entries;
    summary_.test_ratings = data_.held_out;
    if (!is_explicit()) ials_ = ials_weighting(options_, {});
}

void Schedule::start_with(std::vector<double> gram) {
    is_warm_ = 1;
    options_ = warm_options(options_);
    steps_ = kStartVersion;
    grams_[at(RowSide::Items)] = std::move(gram);
    of(FactorKind::Ranking, RowSide::Items).version = kStartVersion;
    if (is_explicit()) of(FactorKind::Rating, RowSide::Items).version = kStartVersion;
}

Step Schedule::step_of(StepKind kind, RowSide side, FactorKind of) const {
    Step step;
    step.kind = kind;
    step.side = side;
    step.of = of;
    const int factors = of == FactorKind::Rating ? for_rating_factors(options_).factors : options_.factors;
    step.factors = static_cast<std::uint32_t>(factors);
    step.seed = options_.seed;
    step.scale = scale_;
    step.als = als_;
    step.ials = ials_;
    step.own_counts = side == RowSide::Users ? data_.user_counts : data_.item_counts;
    step.other_counts = side == RowSide::Users ? data_.item_counts : data_.user_counts;
    step.own_turn = copy_of_turn(this->of(of, side).turn);
    step.other_turn = copy_of_turn(this->of(of, other(side)).turn);
    return step;
}

Step Schedule::measure(StepKind kind, FactorKind of) const {
    Step step = step_of(kind, RowSide::Users, of);
    step.reads_own = this->of(of, RowSide::Users).version;
    step.reads_other = this->of(of, RowSide::Items).version;
    return step;
}

Step Schedule::baseline(StepKind kind, RowSide side, FactorKind of) const {
    Step step = step_of(kind, side, of);
    step.factors = 1;
    step.own_turn = FactorMatrix();
    step.other_turn = FactorMatrix();
    step.factor = 1;
    if (side == RowSide::Items)
        step.writes = steps_ + 1;
    else
        step.reads_other = baseline_;
    return step;
}

Step Schedule::solve_rating(RowSide side, bool exactly) const {
    Step step = step_of(StepKind::SolveRating, side, FactorKind::Rating);
    step.reads_other = of(FactorKind::Rating, other(side)).version;
    step.by_steps = !exactly && solves_by_steps();
    if (step.by_steps != 0) step.reads_own = of(FactorKind::Rating, side).version;
    step.writes = steps_ + 1;
    step.halves = data_.exchange == Exchange::Half && side == RowSide::Items;
    return step;
}

bool Schedule::halves_ranking(RowSide side, bool exactly) const {
    switch (data_.exchange) {
        case Exchange::Single:
            return false;
        case Exchange::Half:
            return side == RowSide::Items || !exactly;
        case Exchange::Steps:
            break;
    }
    if (!solves_by_steps()) return false;
    return side == RowSide::Users ? !exactly : !has_test() && !is_last_iteration(FactorKind::Ranking);
}

Step Schedule::solve_ranking(RowSide side, bool exactly) const {
    Step step = step_of(StepKind::SolveRanking, side, FactorKind::Ranking);
    step.reads_other = of(FactorKind::Ranking, other(side)).version;
    step.by_steps = !exactly && solves_by_steps();
    if (step.by_steps != 0) step.reads_own = of(FactorKind::Ranking, side).version;
    step.gram = grams_[at(other(side))];
    step.sums_gram = 1;
    step.halves = halves_ranking(side, exactly);
    step.writes = steps_ + 1;
    return step;
}

Step Schedule::next() const {
    const auto rating = [this](StepKind kind, RowSide side, bool reads_own, bool reads_other) {
        Step step = step_of(kind, side, FactorKind::Rating);
        if (reads_own) step.reads_own = of(FactorKind::Rating, side).version;
        if (reads_other) step.reads_other = of(FactorKind::Rating, other(side)).version;
        step.writes = steps_ + 1;
        return step;
    };
    constexpr RowSide kUsers = RowSide::Users, kItems = RowSide::Items;
    Step step;
    switch (stage_) {
        case Stage::Values:
            return step_of(StepKind::CountValues, kUsers, FactorKind::Rating);
        case Stage::ItemBiases:
            return rating(StepKind::Biases, kItems, false, false);
        case Stage::UserBiases:
            return rating(StepKind::Biases, kUsers, false, true);
        case Stage::RandomItems:
            return rating(StepKind::RandomItems, kItems, true, false);
        case Stage::StartUsers:
        case Stage::StartItems:
            step = rating(StepKind::StartRows, stage_ == Stage::StartUsers ? kUsers : kItems, true, true);
            step.sums_gram = 1;
            return step;
        case Stage::ItemBasis:
            step = rating(StepKind::StartItems, kItems, true, false);
            step.gram = grams_[at(kItems)];
            return step;
        case Stage::ScaleUsers:
            step = rating(StepKind::ScaleUsers, kUsers, true, false);
            step.factor = static_cast<double>(
                start_scale(start_squares_, summary_.users, static_cast<int>(step.factors), scale_.deviation));
            return step;
        case Stage::RatingItems:
            return solve_rating(kItems, false);
        case Stage::WarmRatingUsers:
            return solve_rating(kUsers, false);
        case Stage::RatingUsers:
            return solve_rating(kUsers, is_last_iteration(FactorKind::Rating));
        case Stage::RatingLastUsers:
            return solve_rating(kUsers, true);
        case Stage::RatingTest:
        case Stage::RatingErrors:
            step = measure(StepKind::MeasureRatings, FactorKind::Rating);
            step.takes_all = stage_ == Stage::RatingErrors;
            return step;
        case Stage::BaselineItems:
            return baseline(StepKind::ItemBiases, kItems, FactorKind::Rating);
        case Stage::BaselineErrors:
            return baseline(StepKind::MeasureBiases, kUsers, FactorKind::Rating);
        case Stage::Weights:
            return step_of(StepKind::CountWeights, kUsers, FactorKind::Ranking);
        case Stage::Items:
            return step_of(StepKind::CountItems, kItems, FactorKind::Ranking);
        case Stage::RandomUsers:
            step = step_of(StepKind::RandomUsers, kUsers, FactorKind::Ranking);
            step.sums_gram = 1;
            step.writes = steps_ + 1;
            return step;
        case Stage::RankingItems:
            return solve_ranking(kItems, false);
        case Stage::WarmRankingUsers:
            return solve_ranking(kUsers, false);
        case Stage::RankingUsers:
            return solve_ranking(kUsers, is_last_iteration(FactorKind::Ranking));
        case Stage::RankingLastUsers:
            return solve_ranking(kUsers, true);
        case Stage::RankingTest:
        case Stage::Lists:
            step = measure(StepKind::MeasureLists, FactorKind::Ranking);
            step.factor = stage_ == Stage::Lists ? 1.0 : kEarlyStopUsers / static_cast<double>(summary_.users);
            return step;
        case Stage::PopularItems:
            return baseline(StepKind::CountPopularity, kItems, FactorKind::Ranking);
        case Stage::PopularLists:
            return baseline(StepKind::MeasurePopularity, kUsers, FactorKind::Ranking);
        case Stage::AllRatingUsers:
            step = solve_rating(kUsers, true);
            step.takes_all = 1;
            return step;
        case Stage::AllRankingUsers:
            step = solve_ranking(kUsers, true);
            step.takes_all = 1;
            return step;
        case Stage::Done:
            break;
    }
    throw std::logic_error("a training run that is done has no next step");
}

void Schedule::turn_to_eigenbasis(RowSide side, Environment& environment) {
    std::vector<double>& own = grams_[at(side)];
    const GramMatrix gram(GramSums(options_.factors, own));
    if (is_diagonal(gram, options_.factors)) return;
    const Eigenbasis basis(gram, options_.factors, environment);
    const FactorMatrix images = images_of(basis, options_.factors, environment);
    own = turned(own, images);
    for (StoredFactors& stored : factors_[at(FactorKind::Ranking)]) {
        if (stored.version == 0) continue;
        if (stored.turn.rows() == 0)
            stored.turn = copy_of(images, environment);
        else
            basis.rotate(stored.turn, environment);
    }
}

void Schedule::begin(FactorKind kind, Environment& environment) {
    iteration_ = 1;
    best_iteration_ = 0;
    metrics_.clear();
    best_items_ = {};
    if (environment.on_phase) environment.on_phase(phase_of(kind), iterations(kind));
}

bool Schedule::ends_iteration(FactorKind kind, double metric, Environment& environment) {
    const bool is_rating = kind == FactorKind::Rating;
    const int iterations = this->iterations(kind);
    const auto iteration = static_cast<int>(iteration_);
    TrainingCurve& curve = is_rating ? summary_.rating_curve : summary_.ranking_curve;
    curve.loss.push_back(loss_);
    bool exhausted = false;
    if (has_test()) {
        metrics_.push_back(metric);
        if (!std::isnan(metric)) curve.test_metric.push_back(metric);
        EarlyStop stop(!is_rating);
        bool improves = false;
        for (std::size_t i = 0; i < metrics_.size(); ++i)
            improves = stop.improves(static_cast<int>(i) + 1, metrics_[i]);
        if (improves) {
            const StoredFactors& items = of(kind, RowSide::Items);
            best_items_ = {items.version, copy_of_turn(items.turn)};
            best_gram_ = grams_[at(RowSide::Items)];
        }
        best_iteration_ = static_cast<std::uint32_t>(stop.best_iteration());
        exhausted = stop.exhausted();
    }
    if (environment.on_iteration)
        environment.on_iteration({phase_of(kind), iteration, iterations, loss_, has_test() ? metric : kNaN});
    const bool goes_on = iteration < iterations && !exhausted;
    if (goes_on)
        ++iteration_;
    else
        (is_rating ? rating_iterations_ : ranking_iterations_) = iteration;
    return goes_on;
}

Schedule::Position Schedule::position() const {
    const int rating = static_cast<int>(summary_.rating_curve.loss.size());
    const int ranking = static_cast<int>(summary_.ranking_curve.loss.size());
    if (stage_ >= Stage::RandomUsers)
        return {phase_of(FactorKind::Ranking), ranking, options_.ials.iterations, rating + ranking};
    if (is_explicit() && stage_ >= Stage::RatingItems)
        return {phase_of(FactorKind::Rating), rating, options_.als.iterations, rating};
    return {};
}

bool Schedule::restore_best(FactorKind kind) {
    int& iterations = kind == FactorKind::Rating ? rating_iterations_ : ranking_iterations_;
    if (!has_test() || static_cast<int>(best_iteration_) == iterations) return false;
    iterations = static_cast<int>(best_iteration_);
    of(kind, RowSide::Items) = std::move(best_items_);
    grams_[at(RowSide::Items)] = best_gram_;
    return true;
}

bool Schedule::keeps_last_users(FactorKind kind) {
    const bool are_exact = !solves_by_steps() || is_last_iteration(kind);
    return !restore_best(kind) && are_exact;
}

void Schedule::begin_ranking(Environment& environment) {
    const Step counted = step_of(StepKind::CountItems, RowSide::Items, FactorKind::Ranking);
    ials_ = derive_ials(statistics_, counted.ials, options_.ials);
    begin(FactorKind::Ranking, environment);
    stage_ = Stage::RandomUsers;
    if (is_warm_ == 0) return;
    turn_to_eigenbasis(RowSide::Items, environment);
    stage_ = Stage::WarmRankingUsers;
}

void Schedule::end_ranking_iterations() {
    const bool keeps_last_users = this->keeps_last_users(FactorKind::Ranking);
    summary_.ranking_iterations = ranking_iterations_;
    summary_.iterations = is_explicit() ? rating_iterations_ : ranking_iterations_;
    if (keeps_last_users)
        stage_ = has_test() ? Stage::Lists : Stage::Done;
    else
        stage_ = Stage::RankingLastUsers;
}

void Schedule::finish(const Step& step, const StepSums& sums, Environment& environment) {
    const std::uint64_t rows = sum_of_counts(step.own_counts);
    if (sums.rows != rows)
        throw InvalidData("a step of a training run has done " + std::to_string(sums.rows) + " rows of " +
                          std::to_string(rows));
    baseline_ = step.kind == StepKind::ItemBiases || step.kind == StepKind::CountPopularity ? step.writes : 0;
    if (step.writes != 0 && baseline_ == 0) {
        of(step.of, step.side) = {step.writes, FactorMatrix()};
        if (step.sums_gram != 0) grams_[at(step.side)] = sums.gram;
    }
    ++steps_;
    const double squares_of_unit = scale_.deviation * scale_.deviation;
    switch (stage_) {
        case Stage::Values: {
            const ValueStatistics values = sums.values.statistics();
            scale_ = {values.mean, values.minimum, values.maximum, values.deviation};
            ials_ = ials_weighting(options_, values);
            stage_ = is_warm_ != 0 ? Stage::WarmRatingUsers : Stage::ItemBiases;
            break;
        }
        case Stage::ItemBiases:
            stage_ = Stage::UserBiases;
            break;
        case Stage::UserBiases:
            stage_ = Stage::RandomItems;
            break;
        case Stage::RandomItems:
            stage_ = Stage::StartUsers;
            break;
        case Stage::StartUsers:
            start_squares_ = trace(sums.gram, static_cast<int>(step.factors));
            stage_ = pass_++ < static_cast<std::uint32_t>(kAlsStartPasses) ? Stage::StartItems : Stage::ScaleUsers;
            break;
        case Stage::StartItems:
            stage_ = Stage::ItemBasis;
            break;
        case Stage::ItemBasis:
            stage_ = Stage::StartUsers;
            break;
        case Stage::WarmRatingUsers:
        case Stage::ScaleUsers:
            begin(FactorKind::Rating, environment);
            stage_ = Stage::RatingItems;
            break;
        case Stage::RatingItems:
            penalty_ = sums.objective.penalty * squares_of_unit;
            stage_ = Stage::RatingUsers;
            break;
        case Stage::RatingUsers:
        case Stage::RatingTest:
            if (stage_ == Stage::RatingUsers) {
                loss_ = (sums.objective.fit + penalty_) / entries();
                if (has_test()) {
                    stage_ = Stage::RatingTest;
                    break;
                }
            }
            if (ends_iteration(FactorKind::Rating, sums.test_errors.rmse(), environment))
                stage_ = Stage::RatingItems;
            else
                stage_ = keeps_last_users(FactorKind::Rating) ? Stage::RatingErrors : Stage::RatingLastUsers;
            break;
        case Stage::RatingLastUsers:
            stage_ = Stage::RatingErrors;
            break;
        case Stage::RatingErrors:
            summary_.train_rmse = sums.train_errors.rmse();
            if (has_test()) summary_.test_rmse = sums.test_errors.rmse();
            stage_ = has_test() ? Stage::BaselineItems : Stage::Weights;
            break;
        case Stage::BaselineItems:
            stage_ = Stage::BaselineErrors;
            break;
        case Stage::BaselineErrors:
            summary_.test_bias_rmse = sums.test_errors.rmse();
            stage_ = Stage::Weights;
            break;
        case Stage::Weights:
            statistics_ = sums.statistics;
            stage_ = Stage::Items;
            break;
        case Stage::Items:
            statistics_ += sums.statistics;
            begin_ranking(environment);
            break;
        case Stage::RandomUsers:
        case Stage::WarmRankingUsers:
            turn_to_eigenbasis(RowSide::Users, environment);
            stage_ = Stage::RankingItems;
            break;
        case Stage::RankingItems:
            penalty_ = sums.objective.penalty;
            turn_to_eigenbasis(RowSide::Items, environment);
            stage_ = Stage::RankingUsers;
            break;
        case Stage::RankingUsers:
        case Stage::RankingTest:
            if (stage_ == Stage::RankingUsers) {
                loss_ = (sums.objective.fit + penalty_) / entries();
                if (has_test()) {
                    stage_ = Stage::RankingTest;
                    break;
                }
            }
            if (ends_iteration(FactorKind::Ranking, sums.lists.mean_ndcg(), environment)) {
                turn_to_eigenbasis(RowSide::Users, environment);
                stage_ = Stage::RankingItems;
            } else {
                end_ranking_iterations();
            }
            break;
        case Stage::RankingLastUsers:
            stage_ = has_test() ? Stage::Lists : Stage::Done;
            break;
        case Stage::Lists: {
            summary_.test_ndcg = sums.lists.mean_ndcg();
            std::uint64_t listed = 0;
            for (const std::uint64_t bits : sums.listed) listed += static_cast<std::uint64_t>(std::popcount(bits));
            summary_.test_coverage = static_cast<double>(listed) / static_cast<double>(summary_.items);
            stage_ = Stage::PopularItems;
            break;
        }
        case Stage::PopularItems:
            stage_ = Stage::PopularLists;
            break;
        case Stage::PopularLists:
            summary_.test_popularity_ndcg = sums.lists.mean_ndcg();
            stage_ = is_explicit() ? Stage::AllRatingUsers : Stage::AllRankingUsers;
            break;
        case Stage::AllRatingUsers:
            stage_ = Stage::AllRankingUsers;
            break;
        case Stage::AllRankingUsers:
            stage_ = Stage::Done;
            break;
        case Stage::Done:
            break;
    }
}

std::vector<std::uint32_t> Schedule::kept(FactorKind kind, RowSide side) const {
    std::vector<std::uint32_t> versions;
    if (of(kind, side).version != 0) versions.push_back(of(kind, side).version);
    // Versions are numbers of steps: those of the other kind differ.
    if (side == RowSide::Items && best_items_.version != 0) versions.push_back(best_items_.version);
    if (side == RowSide::Items && baseline_ != 0) versions.push_back(baseline_);
    return versions;
}

RatingModel Schedule::rating_model() const {
    RatingModel model;
    model.scale = scale_;
    model.parameters = to_numbers(als_);
    model.iterations = rating_iterations_;
    return model;
}

RankingModel Schedule::ranking_model() const {
    RankingModel model;
    model.parameters = to_numbers(ials_);
    model.iterations = ranking_iterations_;
    return model;
}

}  // namespace mf
