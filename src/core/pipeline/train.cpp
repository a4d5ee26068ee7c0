#include "core/pipeline/train.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/half_floats.hpp"
#include "core/base/hash.hpp"
#include "core/data/sample.hpp"
#include "core/evaluation/bias_baseline.hpp"
#include "core/evaluation/metrics.hpp"
#include "core/pipeline/held_out.hpp"
#include "core/pipeline/warm_start.hpp"
#include "core/training/factor_init.hpp"
#include "core/training/feature_map.hpp"

namespace mf {

namespace {

// Users whose lists are measured after every iteration to stop early: ranking all items for all users may cost more
// than the iteration. The same users every time, so that differences between iterations are surer than the mean
// itself, whose standard error is about 0.01.
constexpr std::size_t kEarlyStopUsers = 1000;

bool all_finite(std::span<const float> values, Environment& environment) {
    constexpr std::size_t kValuesATask = std::size_t{1} << 20;
    std::atomic<bool> finite = true;
    parallel_ranges(environment, values.size(), kValuesATask, [&](std::size_t begin, std::size_t end, int) {
        const auto part = values.subspan(begin, end - begin);
        if (!std::all_of(part.begin(), part.end(), [](float value) { return std::isfinite(value); }))
            finite.store(false, std::memory_order_relaxed);
    });
    return finite;
}

// What is trained on and what is measured on; without held-out rows the first is the dataset itself.
struct Parts {
    const Csr& train;
    const Csr& test;
};

// Completes the items of a start. With features, items that nobody has get zeros: the start has what is expected of
// them, which is no sign against them.
void complete(FactorMatrix& items, const TrainingData& data, std::uint64_t seed, std::uint64_t stream) {
    for (std::uint32_t i = 0; i < items.rows(); ++i) {
        if (data.item_features != nullptr && data.by_item.row_size(i) == 0)
            std::fill_n(items.row(i), items.stride(), 0.0f);
        else
            complete_item(items, i, seed, stream);
    }
}

void announce(const Environment& environment, const char* phase, int iterations) {
    if (environment.on_phase) environment.on_phase(phase, iterations);
}

// The environment, with a record of what each iteration reaches.
Environment recording(const Environment& environment, TrainingCurve& curve) {
    Environment result = environment;
    result.on_iteration = [&environment, &curve](const Iteration& iteration) {
        curve.loss.push_back(iteration.loss);
        if (!std::isnan(iteration.test_metric)) curve.test_metric.push_back(iteration.test_metric);
        return !environment.on_iteration || environment.on_iteration(iteration);
    };
    return result;
}

void take_expected(const float* expected, std::uint32_t item, RankingModel& model) {
    std::copy_n(expected, model.items.factors(), model.items.row(item));
}

void take_expected(const float* expected, std::uint32_t item, RatingModel& model) {
    model.item_bias[item] = split_bias(expected, model.items.factors(), model.items.row(item));
}

/// Gives the items without interactions what is expected of their features.
template <class Factors>
void expect_new_items(const SideFeatures& features, const std::vector<bool>& has_rows, Environment& environment,
                      Factors& model) {
    if (std::ranges::find(has_rows, false) == has_rows.end()) return;
    const FactorMatrix expected = expected_factors(features.by_row, model.item_map, environment);
    for (std::uint32_t item = 0; item < has_rows.size(); ++item)
        if (!has_rows[item]) take_expected(expected.row(item), item, model);
}

RatingModel train_rating(const RatingTrainer& trainer, const Parts& parts, const TrainingData& data,
                         TrainOptions options, Environment& environment, RatingStart* start, TrainSummary& summary) {
    announce(environment, "rating factors", trainer.iterations(options));
    if (start != nullptr) complete(start->items, data, options.seed, kRatingStartStream);
    RatingEvaluation evaluate;
    if (parts.test.entries() > 0)
        evaluate = [&](const RatingModel& model) { return measure_predictions(model, parts.test, environment).rmse(); };
    Environment recorded = recording(environment, summary.rating_curve);
    RatingModel model = trainer.train(data, options, recorded, evaluate, start);
    if (model.item_map.rows() > 0) expect_new_items(*data.item_features, occupied(data.by_item), environment, model);
    summary.train_rmse = measure_predictions(model, parts.train, environment).rmse();
    if (parts.test.entries() == 0) return model;
    summary.test_rmse = measure_predictions(model, parts.test, environment).rmse();
    summary.test_bias_rmse = measure_biases(parts.train, parts.test, environment).rmse();
    return model;
}

RankingModel train_ranking(const RankingTrainer& trainer, const Parts& parts, const TrainingData& data,
                           TrainOptions options, Environment& environment, RankingStart* start, TrainSummary& summary) {
    announce(environment, "ranking factors", trainer.iterations(options));
    if (start != nullptr) complete(start->items, data, options.seed, kRankingStartStream);
    RankingEvaluation evaluate;
    const Csr sample = sample_rows(parts.test, kEarlyStopUsers);
    if (sample.entries() > 0)
        evaluate = [&](const RankingModel& model) {
            return measure_lists(model, parts.train, sample, kMeasuredPositions, environment).mean_ndcg();
        };
    Environment recorded = recording(environment, summary.ranking_curve);
    RankingModel model = trainer.train(data, options, recorded, evaluate, start);
    if (model.item_map.rows() > 0) expect_new_items(*data.item_features, occupied(data.by_item), environment, model);
    if (parts.test.entries() == 0) return model;
    ListedItems listed(model.items.rows());
    summary.test_ndcg =
        measure_lists(model, parts.train, parts.test, kMeasuredPositions, environment, &listed).mean_ndcg();
    summary.test_coverage = listed.share();
    summary.test_popularity_ndcg =
        measure_popularity(parts.train, parts.test, kMeasuredPositions, environment).mean_ndcg();
    return model;
}

void count_interactions(const Dataset& dataset, Model& model, Environment& environment) {
    const Csr& cells = dataset.by_user;
    model.user_history = history_digests(cells, id_hashes(dataset, environment), environment);
    model.user_interactions = Array<std::uint32_t>(cells.rows());
    model.item_interactions = Array<std::uint32_t>(cells.column_count, 0u);
    for (std::uint32_t u = 0; u < cells.rows(); ++u)
        model.user_interactions[u] = static_cast<std::uint32_t>(cells.row_size(u));
    for (const std::uint32_t item : cells.columns) ++model.item_interactions[item];
}

}  // namespace

void require_finite(std::span<const float> values, const char* what, Environment& environment) {
    if (all_finite(values, environment)) return;
    throw NumericalFailure(std::string("the equations gave ") + what + " that are not finite", {},
                           "Raise regularization, or rescale the values if they are very large.");
}

void require_finite(const FactorMatrix& factors, const char* what, Environment& environment) {
    if (factors.rows() > 0) require_finite({factors.row(0), factors.rows() * factors.stride()}, what, environment);
}

void round_to_halves(FactorMatrix& matrix, Environment& environment) {
    constexpr std::size_t kRowsATask = 4096;
    std::atomic<bool> fits = true;
    parallel_ranges(environment, matrix.rows(), kRowsATask, [&](std::size_t begin, std::size_t end, int) {
        float* const first = matrix.row(begin);
        float* const last = first + (end - begin) * matrix.stride();
        if (std::any_of(first, last, [](float value) { return !(std::fabs(value) <= kLargestHalf); })) {
            fits.store(false, std::memory_order_relaxed);
            return;
        }
        std::transform(first, last, first, [](float value) { return from_half(to_half(value)); });
    });
    if (!fits)
        throw NumericalFailure("the factors are too large for 16-bit floats", {},
                               R"(Leave "storage": "half" out, or rescale the values.)");
}

// Rounds the factors to 16 bits. The users are solved for the rounded items before, as a fold-in solves them.
template <class Trainer, class Factors>
void round_factors(const Trainer& trainer, const Csr& by_user, const Csr* user_features, Environment& environment,
                   Factors& model) {
    round_to_halves(model.items, environment);
    trainer.solve_users(model, by_user, user_features, environment);
    round_to_halves(model.items, environment);  // those of few items may have been rotated
    round_to_halves(model.users, environment);
}

Model train_factors(const Csr& by_user, const HoldOut* held_out, const TrainOptions& options, Environment& environment,
                    WarmStart* start, const KnownFeatures& known, TrainSummary& summary) {
    const Csr nothing = without_entries(by_user.rows(), by_user.column_count);
    const bool has_test = held_out != nullptr && held_out->test.entries() > 0;
    const Parts parts{has_test ? held_out->train : by_user, has_test ? held_out->test : nothing};
    const Csr by_item = transpose(parts.train, environment);
    Model model;
    const auto item_features = side_features(known.items, model.item_features, environment);
    const auto user_features = side_features(known.users, model.user_features, environment);
    const Csr* const user_rows = user_features ? &user_features->by_row : nullptr;
    const TrainingData data{parts.train, by_item, item_features ? &*item_features : nullptr,
                            user_features ? &*user_features : nullptr};

    summary.users = by_user.rows();
    summary.items = by_user.column_count;
    summary.ratings = by_user.entries();
    summary.test_ratings = parts.test.entries();
    for (double* metric : {&summary.train_rmse, &summary.test_rmse, &summary.test_ndcg, &summary.test_coverage,
                           &summary.test_bias_rmse, &summary.test_popularity_ndcg})
        *metric = std::numeric_limits<double>::quiet_NaN();
    summary.rating_curve = summary.ranking_curve = {};

    const RatingTrainer* rating = rating_trainer(options);
    const RankingTrainer& ranking = ranking_trainer(options);
    if (rating != nullptr)
        model.rating = train_rating(*rating, parts, data, for_rating_factors(options), environment,
                                    start != nullptr && start->rating ? &*start->rating : nullptr, summary);
    model.ranking = train_ranking(ranking, parts, data, options, environment,
                                  start != nullptr ? &start->ranking : nullptr, summary);
    summary.ranking_iterations = model.ranking.iterations;
    summary.iterations = model.rating ? model.rating->iterations : model.ranking.iterations;
    const bool is_rounded = options.storage == Storage::Half;
    // Users are solved once more against the items that have interactions, as a fold-in solves them: the Gram matrix
    // has no others.
    std::vector<bool> has_rows;
    if (item_features && (has_test || is_rounded)) {
        has_rows = occupied_columns(by_user);
        for (std::uint32_t item = 0; item < has_rows.size(); ++item)
            if (!has_rows[item]) std::fill_n(model.ranking.items.row(item), model.ranking.items.stride(), 0.0f);
    }
    if (has_test && !is_rounded) {  // which solves all users for the rounded items
        if (model.rating) rating->solve_users(*model.rating, by_user, user_rows, environment);
        ranking.solve_users(model.ranking, by_user, user_rows, environment);
    }

    if (model.rating) {
        for (const FactorMatrix* factors :
             {&model.rating->users, &model.rating->items, &model.rating->item_map, &model.rating->user_map})
            require_finite(*factors, "rating factors", environment);
        for (const Array<float>* biases : {&model.rating->user_bias, &model.rating->item_bias})
            require_finite(*biases, "rating factors", environment);
    }
    for (const FactorMatrix* factors :
         {&model.ranking.users, &model.ranking.items, &model.ranking.item_map, &model.ranking.user_map})
        require_finite(*factors, "ranking factors", environment);
    if (is_rounded) {
        if (model.rating) round_factors(*rating, by_user, user_rows, environment, *model.rating);
        round_factors(ranking, by_user, user_rows, environment, model.ranking);
    }
    if (!has_rows.empty()) {
        if (model.ranking.item_map.rows() > 0) expect_new_items(*item_features, has_rows, environment, model.ranking);
        if (is_rounded) round_to_halves(model.ranking.items, environment);
    }
    return model;
}

TrainResult train(const Dataset& dataset, const TrainOptions& options, Environment& environment, WarmStart* start,
                  const KnownFeatures& features) {
    options.validate();
    TrainResult result;
    result.found.options = options;
    std::optional<HoldOut> held_out;
    if (options.search.enabled || options.test_fraction > 0) {
        const IdHashes hashes = id_hashes(dataset, environment);
        if (options.test_fraction > 0)
            held_out = held_out_rows(dataset.by_user, hashes, options.test_fraction, options, environment);
        // What is measured on at the end is not searched on.
        if (options.search.enabled)
            result.found = find_options(held_out ? held_out->train : dataset.by_user, hashes, options, environment);
    }
    result.model = train_factors(dataset.by_user, held_out ? &*held_out : nullptr, result.found.options, environment,
                                 start, features, result.summary);
    count_interactions(dataset, result.model, environment);
    result.recency = dataset.recency;
    return result;
}

std::size_t training_memory(std::uint64_t users, std::uint64_t items, std::uint64_t ratings, std::size_t id_bytes,
                            const TrainOptions& options, int threads) {
    // With K = k rounded up to 16, in bytes:
    //   a rating   16 in training: rows by user and by item (8 each); with held-out rows 8 more, since these are
    //   copies;
    //              reading takes less: 12 as it arrived and 8 by user
    //   a row      4·K of factors for each set of factors, 32 of offsets and counts
    //              4 more in each place where they are, with a half-life
    //   held out   9·K + 16 an item: the best iteration's factors and the index to rank all items by
    //   and what the trainer takes that takes most, one after the other,
    // or, if it is more, what reading takes: 20 a rating, 32 a row, and the builder's counters.
    const RatingTrainer* rating = rating_trainer(options);
    const auto padded = [](int factors) { return static_cast<double>(FactorMatrix::padded(factors)); };
    const double ranking_factors = padded(options.factors);
    const double rating_factors = rating != nullptr ? padded(options.rating_factors_or_default()) : 0.0;
    const double most_factors = std::max(ranking_factors, rating_factors);
    const bool held_out = options.test_fraction > 0;
    const double bytes_a_rating = (held_out ? 24 : 16) + (options.half_life > 0 ? (held_out ? 12 : 8) : 0);
    const double rows = static_cast<double>(users) + static_cast<double>(items);
    const std::uint64_t larger = std::max(users, items);
    const double working = std::max(
        ranking_trainer(options).working_bytes(options, larger, ratings, threads),
        rating != nullptr ? rating->working_bytes(for_rating_factors(options), larger, ratings, threads) : 0.0);
    const double reading = static_cast<double>(ratings) * (options.half_life > 0 ? 24 : 20) + rows * 32 +
                           builder_counter_bytes(users, items, ratings);
    const double training = static_cast<double>(ratings) * bytes_a_rating +
                            rows * (4 * (ranking_factors + rating_factors) + 32) +
                            (held_out ? static_cast<double>(items) * (9 * most_factors + 16) : 0) + working;
    const double bytes = std::max(reading, training) + static_cast<double>(id_bytes);
    constexpr double kLargest = 0x1.0p62;
    return static_cast<std::size_t>(std::min(bytes, kLargest));
}

}  // namespace mf
