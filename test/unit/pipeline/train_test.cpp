#include "core/pipeline/train.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>

#include "core/base/error.hpp"
#include "core/base/half_floats.hpp"
#include "core/base/hash.hpp"
#include "core/training/als_fold_in.hpp"
#include "core/training/factor_init.hpp"
#include "core/training/feature_map.hpp"
#include "core/training/ials_fold_in.hpp"
#include "unit/generated_data.hpp"

namespace mf {
namespace {

using test::all_finite;
using test::Entry;
using test::history_of;
using test::make_dataset;
using test::planted_ratings;
using test::same_bits;
using test::small_options;

std::vector<Entry> positive_ratings() {
    std::vector<Entry> entries = planted_ratings(150, 120, 3, 0.3, 0.3, 21);
    for (Entry& entry : entries) entry.value = std::clamp(entry.value, 1.0f, 5.0f);
    return entries;
}

TEST(TrainTest, ExplicitFeedbackGivesBothKindsOfFactors) {
    Environment environment;
    const Dataset dataset = make_dataset(positive_ratings(), environment);
    const TrainResult result = train(dataset, small_options(Feedback::Explicit, 0), environment);
    const Model& model = result.model;
    ASSERT_TRUE(model.rating.has_value());
    EXPECT_EQ(model.rating->users.rows(), dataset.by_user.rows());
    EXPECT_EQ(model.ranking.items.rows(), dataset.by_user.column_count);
    EXPECT_TRUE(all_finite(model.rating->users) && all_finite(model.ranking.users));
    EXPECT_EQ(result.summary.users, dataset.by_user.rows());
    EXPECT_EQ(result.summary.items, dataset.by_user.column_count);
    EXPECT_EQ(result.summary.ratings, dataset.by_user.entries());
    EXPECT_EQ(result.summary.test_ratings, 0u);
    EXPECT_EQ(result.summary.iterations, 6);
    EXPECT_EQ(result.summary.ranking_iterations, 6);
    EXPECT_GT(result.summary.train_rmse, 0.0);
    EXPECT_LT(result.summary.train_rmse, 0.8);
    EXPECT_TRUE(std::isnan(result.summary.test_rmse));
    EXPECT_TRUE(std::isnan(result.summary.test_ndcg));
}

TEST(TrainTest, ImplicitFeedbackGivesRankingFactors) {
    Environment environment;
    const Dataset dataset = make_dataset(positive_ratings(), environment);
    const TrainResult result = train(dataset, small_options(Feedback::Implicit, 0.2), environment);
    EXPECT_FALSE(result.model.rating.has_value());
    EXPECT_TRUE(std::isnan(result.summary.train_rmse));
    EXPECT_TRUE(std::isnan(result.summary.test_rmse));
    EXPECT_GT(result.summary.test_ndcg, 0.05);
}

TEST(TrainTest, HeldOutRowsAreMeasured) {
    Environment environment;
    const Dataset dataset = make_dataset(positive_ratings(), environment);
    const TrainResult result = train(dataset, small_options(Feedback::Explicit, 0.2), environment);
    EXPECT_NEAR(static_cast<double>(result.summary.test_ratings), 0.2 * static_cast<double>(result.summary.ratings),
                0.02 * static_cast<double>(result.summary.ratings));
    EXPECT_GT(result.summary.test_rmse, result.summary.train_rmse);
    EXPECT_LT(result.summary.test_rmse, 1.2);
    EXPECT_GT(result.summary.test_ndcg, 0.05);
    EXPECT_LE(result.summary.test_ndcg, 1.0);
    EXPECT_GT(result.summary.test_coverage, 0.1);
    EXPECT_LE(result.summary.test_coverage, 1.0);
    EXPECT_GT(result.summary.test_bias_rmse, result.summary.test_rmse);
    EXPECT_GT(result.summary.test_popularity_ndcg, 0.05);  // early items are more popular
}

// What is recorded is what the environment is told, and each iteration lowers the loss.
TEST(TrainTest, RecordsEachIteration) {
    Environment environment;
    const Dataset dataset = make_dataset(positive_ratings(), environment);
    for (const double test_fraction : {0.0, 0.2}) {
        std::vector<double> told;
        environment.on_iteration = [&told](const Iteration& iteration) {
            told.push_back(iteration.loss);
            return true;
        };
        const TrainSummary summary =
            train(dataset, small_options(Feedback::Explicit, test_fraction), environment).summary;
        std::vector<double> recorded;
        for (const TrainingCurve* curve : {&summary.rating_curve, &summary.ranking_curve}) {
            // Up to the rounding of steps that read 8 significant bits.
            EXPECT_TRUE(std::ranges::is_sorted(curve->loss, [](double a, double b) { return a > b * (1 + 1e-4); }));
            EXPECT_EQ(curve->test_metric.size(), test_fraction > 0 ? curve->loss.size() : 0u);
            recorded.insert(recorded.end(), curve->loss.begin(), curve->loss.end());
        }
        EXPECT_EQ(recorded, told);
        EXPECT_GE(summary.ranking_curve.loss.size(), static_cast<std::size_t>(summary.ranking_iterations));
        if (test_fraction == 0) continue;
        const auto& rmse = summary.rating_curve.test_metric;
        EXPECT_EQ(std::ranges::min_element(rmse) - rmse.begin(), summary.iterations - 1);
        EXPECT_EQ(*std::ranges::min_element(rmse), summary.test_rmse);
    }
}

// Stored factors are the fold-in of the whole history, held-out rows or not.
TEST(TrainTest, StoredUsersEqualTheFoldIn) {
    Environment environment;
    environment.threads = 2;
    const Dataset dataset = make_dataset(positive_ratings(), environment);
    for (const double test_fraction : {0.0, 0.3}) {
        const TrainResult result = train(dataset, small_options(Feedback::Explicit, test_fraction), environment);
        const RatingModel& rating = *result.model.rating;
        const RankingModel& ranking = result.model.ranking;
        AlsFoldIn rating_fold_in({rating.items, rating.item_bias}, rating.scale.mean,
                                 from_numbers<AlsParameters>(rating.parameters));
        IalsFoldIn ranking_fold_in({ranking.items, {}, GramMatrix(ranking.items, environment)},
                                   from_numbers<IalsParameters>(ranking.parameters));
        Array<float> row(FactorMatrix::padded(8));
        for (std::uint32_t u = 0; u < dataset.by_user.rows(); ++u) {
            const std::vector<HistoryEntry> history = history_of(dataset.by_user, u);
            HistoryDigest digest;
            for (const HistoryEntry& entry : history) digest.add(dataset.items.hash(entry.item), entry.value);
            float bias;
            rating_fold_in.solve(history, row.data(), &bias);
            ASSERT_TRUE(std::equal(row.begin(), row.end(), rating.users.row(u)));
            ASSERT_EQ(bias, rating.user_bias[u]);
            ranking_fold_in.solve(history, row.data());
            ASSERT_TRUE(std::equal(row.begin(), row.end(), ranking.users.row(u)));
            ASSERT_EQ(result.model.user_interactions[u], history.size());
            ASSERT_EQ(result.model.user_history[u], digest.value());
        }
        std::uint64_t counted = 0;
        for (const std::uint32_t count : result.model.item_interactions) counted += count;
        EXPECT_EQ(counted, dataset.by_user.entries());
    }
}

TEST(TrainTest, HalvesAreRoundedAndUsersFollowFromThem) {
    Environment environment;
    const Dataset dataset = make_dataset(positive_ratings(), environment);
    TrainOptions options = small_options(Feedback::Explicit, 0);
    options.storage = Storage::Half;
    const Model model = train(dataset, options, environment).model;
    for (const FactorMatrix* matrix :
         {&model.ranking.users, &model.ranking.items, &model.rating->users, &model.rating->items})
        for (std::size_t row = 0; row < matrix->rows(); ++row)
            for (int f = 0; f < 8; ++f) {
                const float factor = matrix->row(row)[f];
                ASSERT_EQ(factor, from_half(to_half(factor)));
            }
    IalsFoldIn fold_in({model.ranking.items, {}, GramMatrix(model.ranking.items, environment)},
                       from_numbers<IalsParameters>(model.ranking.parameters));
    Array<float> row(FactorMatrix::padded(8));
    for (std::uint32_t u = 0; u < dataset.by_user.rows(); ++u) {
        fold_in.solve(history_of(dataset.by_user, u), row.data());
        for (int f = 0; f < 8; ++f) ASSERT_NEAR(row[f], model.ranking.users.row(u)[f], 2e-3f) << u;
    }

    options.storage = Storage::Single;
    const Model single = train(dataset, options, environment).model;
    double squares = 0, differences = 0;
    for (std::size_t u = 0; u < single.ranking.users.rows(); ++u)
        for (std::size_t i = 0; i < single.ranking.items.rows(); ++i) {
            const auto score = [&](const Model& of) {
                return static_cast<double>(std::inner_product(of.ranking.users.row(u), of.ranking.users.row(u) + 8,
                                                              of.ranking.items.row(i), 0.0f));
            };
            squares += score(single) * score(single);
            differences += (score(single) - score(model)) * (score(single) - score(model));
        }
    EXPECT_LT(std::sqrt(differences / squares), 1e-3);
}

// Features of all items, and of five that nobody has had.
FeatureValues features_with_new_items(Dataset& dataset, Environment& environment) {
    InteractionsBuilder builder(dataset.items.kind(), IdKind::Text, false);
    const auto add = [&](std::int64_t item, char kind, std::int64_t number) {
        const char name[] = {kind, static_cast<char>('0' + number)};
        builder.add(builder.users().intern(item), builder.items().intern(std::string_view(name, 2)), 1);
    };
    for (std::uint32_t item = 0; item < dataset.items.size(); ++item) {
        add(dataset.items.integer(item), 'a', item % 7);
        add(dataset.items.integer(item), 'b', item % 3);
    }
    for (std::int64_t item = 0; item < 5; ++item) add(-100 * item - 1, 'a', item);
    FeatureRows rows{std::move(builder).finish(Duplicates::Mean, environment), {}};
    rows.is_number.assign(rows.rows.items.size(), false);
    EXPECT_EQ(add_items(dataset, rows.rows.users, environment), 5u);
    return values_of_ids(rows, dataset.items, environment);
}

TEST(TrainTest, ItemsWithoutInteractionsHaveWhatTheirFeaturesSay) {
    Environment environment;
    environment.threads = 2;
    Dataset dataset = make_dataset(positive_ratings(), environment);
    const FeatureValues features = features_with_new_items(dataset, environment);
    for (const double test_fraction : {0.0, 0.3})
        for (const Storage storage : {Storage::Single, Storage::Half}) {
            SCOPED_TRACE(testing::Message() << test_fraction << (storage == Storage::Half ? " half" : ""));
            TrainOptions options = small_options(Feedback::Explicit, test_fraction);
            options.storage = storage;
            const Model model = train(dataset, options, environment, nullptr, {&features}).model;
            const RatingModel& rating = *model.rating;
            const RankingModel& ranking = model.ranking;
            ASSERT_EQ(model.item_features.size(), 10u);
            ASSERT_EQ(ranking.item_map.rows(), 11u);
            ASSERT_EQ(rating.item_map.factors(), 9);
            const Csr scaled = scale_features(features.rows, model.item_features, environment);
            const FactorMatrix expected = expected_factors(scaled, ranking.item_map, environment);
            const FactorMatrix expected_rating = expected_factors(scaled, rating.item_map, environment);
            const float tolerance = storage == Storage::Half ? 1e-3f : 0.0f;
            FactorMatrix solved = copy_of(ranking.items, environment);
            for (std::uint32_t item = 0; item < dataset.items.size(); ++item) {
                if (model.item_interactions[item] > 0) continue;
                float norm = 0;
                for (int f = 0; f < 8; ++f) {
                    EXPECT_NEAR(ranking.items.row(item)[f], expected.row(item)[f], tolerance);
                    EXPECT_NEAR(rating.items.row(item)[f], expected_rating.row(item)[f], tolerance);
                    norm += std::fabs(ranking.items.row(item)[f]);
                }
                EXPECT_GT(norm, 0.0f);
                EXPECT_EQ(rating.item_bias[item], expected_rating.row(item)[8]);
                std::fill_n(solved.row(item), solved.stride(), 0.0f);
            }
            if (storage == Storage::Half) continue;
            // Nobody is solved against items that nobody has had.
            IalsFoldIn fold_in({ranking.items, {}, GramMatrix(solved, environment)},
                               from_numbers<IalsParameters>(ranking.parameters));
            Array<float> row(FactorMatrix::padded(8));
            for (std::uint32_t u = 0; u < dataset.by_user.rows(); ++u) {
                fold_in.solve(history_of(dataset.by_user, u), row.data());
                ASSERT_TRUE(std::equal(row.begin(), row.end(), ranking.users.row(u)));
            }
        }
}

TEST(TrainTest, FactorsBeyondHalvesAreRefused) {
    Environment environment;
    std::vector<Entry> entries = positive_ratings();
    for (Entry& entry : entries) entry.value *= 1e12f;
    TrainOptions options = small_options(Feedback::Explicit, 0);
    options.storage = Storage::Half;
    EXPECT_THROW(train(make_dataset(entries, environment), options, environment), NumericalFailure);
}

TEST(TrainTest, NeitherThreadsNorTheOrderOfRowsMatter) {
    Environment one;
    std::vector<Entry> entries = positive_ratings();
    const TrainOptions options = small_options(Feedback::Explicit, 0.2);
    const TrainResult expected = train(make_dataset(entries, one), options, one);
    std::reverse(entries.begin(), entries.end());
    for (const int threads : {1, 2, 3, 7}) {
        Environment environment;
        environment.threads = threads;
        const TrainResult result = train(make_dataset(entries, environment), options, environment);
        EXPECT_TRUE(same_bits(result.model.rating->users, expected.model.rating->users));
        EXPECT_TRUE(same_bits(result.model.rating->items, expected.model.rating->items));
        EXPECT_TRUE(same_bits(result.model.ranking.users, expected.model.ranking.users));
        EXPECT_TRUE(same_bits(result.model.ranking.items, expected.model.ranking.items));
        EXPECT_EQ(result.summary.train_rmse, expected.summary.train_rmse);
        EXPECT_EQ(result.summary.test_ndcg, expected.summary.test_ndcg);
    }
}

TEST(TrainTest, ReportsEveryIterationOfBothPhases) {
    Environment environment;
    std::vector<std::string> reports;
    environment.on_iteration = [&](const Iteration& report) {
        EXPECT_TRUE(std::isfinite(report.loss));
        EXPECT_TRUE(std::isfinite(report.test_metric));
        reports.push_back(report.phase + std::to_string(report.iteration));
        return true;
    };
    TrainOptions options = small_options(Feedback::Explicit, 0.2);
    options.als.iterations = 1;
    options.ials.iterations = 2;
    train(make_dataset(positive_ratings(), environment), options, environment);
    EXPECT_EQ(reports, std::vector<std::string>({"rating factors1", "ranking factors1", "ranking factors2"}));
}

TEST(TrainTest, AnnouncesEachPhaseBeforeItsIterations) {
    Environment environment;
    std::vector<std::string> events;
    environment.on_phase = [&](const char* phase, int total) { events.push_back(phase + std::to_string(-total)); };
    environment.on_iteration = [&](const Iteration& report) {
        events.push_back(report.phase + std::to_string(report.iteration));
        return true;
    };
    TrainOptions options = small_options(Feedback::Explicit, 0);
    options.als.iterations = 1;
    options.ials.iterations = 2;
    train(make_dataset(positive_ratings(), environment), options, environment);
    EXPECT_EQ(events, std::vector<std::string>({"rating factors-1", "rating factors1", "ranking factors-2",
                                                "ranking factors1", "ranking factors2"}));
}

TEST(TrainTest, AWarmStartNeedsAThirdOfTheIterations) {
    Environment environment;
    const Dataset dataset = make_dataset(positive_ratings(), environment);
    TrainOptions options = small_options(Feedback::Explicit, 0);
    options.als.iterations = options.ials.iterations = 9;
    TrainResult cold = train(dataset, options, environment);

    options.als.iterations = options.ials.iterations = 3;
    WarmStart start{RatingStart{std::move(cold.model.rating->items), std::move(cold.model.rating->item_bias)},
                    RankingStart{std::move(cold.model.ranking.items)}};
    const TrainResult warm = train(dataset, options, environment, &start);
    EXPECT_EQ(warm.summary.iterations, 3);
    EXPECT_EQ(warm.summary.ranking_iterations, 3);
    EXPECT_LE(warm.summary.train_rmse, cold.summary.train_rmse * 1.001);
}

TEST(TrainTest, ItemsUnknownToTheStartGetFactorsOfTheirOwn) {
    // Two groups of users and items that have nothing in common; the start knows the first group only.
    Environment environment;
    std::vector<Entry> entries;
    for (std::uint32_t u = 0; u < 40; ++u)
        for (std::uint32_t i = 0; i < 20; ++i)
            if ((u * 7 + i * 3) % 5 != 0 && u / 20 == i / 10)
                entries.push_back({u, i, static_cast<float>(1 + (u + i) % 5)});
    const Dataset dataset = make_dataset(entries, environment);
    TrainOptions options = small_options(Feedback::Explicit, 0);
    TrainResult cold = train(dataset, options, environment);
    WarmStart start{RatingStart{std::move(cold.model.rating->items), std::move(cold.model.rating->item_bias)},
                    RankingStart{std::move(cold.model.ranking.items)}};
    for (std::size_t i = 10; i < 20; ++i) {
        std::fill_n(start.rating->items.row(i), start.rating->items.stride(), 0.0f);
        std::fill_n(start.ranking.items.row(i), start.ranking.items.stride(), 0.0f);
        start.rating->item_bias[i] = 0;
    }
    const TrainResult warm = train(dataset, options, environment, &start);
    const auto is_zero = [](const FactorMatrix& matrix, std::size_t row) {
        return std::all_of(matrix.row(row), matrix.row(row) + matrix.factors(), [](float x) { return x == 0.0f; });
    };
    for (std::size_t i = 0; i < 20; ++i) {
        EXPECT_FALSE(is_zero(warm.model.ranking.items, i)) << i;
        EXPECT_FALSE(is_zero(warm.model.rating->items, i)) << i;
    }
    EXPECT_LE(warm.summary.train_rmse, cold.summary.train_rmse * 1.05);
}

// What a start knows of an item whose rows are all held out takes part in the first solution of the users: a start
// without features gives the factors that the trainer alone gives for it.
TEST(TrainTest, AStartKeepsItemsWhoseRowsAreHeldOut) {
    Environment environment;
    const Dataset dataset = make_dataset(positive_ratings(), environment);
    const Csr& all = dataset.by_user;
    TrainOptions options = small_options(Feedback::Implicit, 0);
    const Model cold = train(dataset, options, environment).model;
    std::vector<Entry> kept, held_out;
    for (std::uint32_t user = 0; user < all.rows(); ++user)
        for (std::size_t j = 0; j < all.row_size(user); ++j) {
            const Entry entry{user, all.row_columns(user)[j], all.row_values(user)[j]};
            (entry.item == 5 ? held_out : kept).push_back(entry);
        }
    HoldOut parts;
    parts.train = test::make_csr(kept, all.rows(), all.column_count);
    parts.test = test::make_csr(held_out, all.rows(), all.column_count);

    options.ials.iterations = 1;
    WarmStart start{{}, {copy_of(cold.ranking.items, environment)}};
    TrainSummary summary;
    const Model model = train_factors(all, &parts, options, environment, &start, {}, summary);
    RankingStart same{copy_of(cold.ranking.items, environment)};
    const Csr by_item = transpose(parts.train);
    RankingModel expected = kIalsTrainer.train({parts.train, by_item}, options, environment, {}, &same);
    kIalsTrainer.solve_users(expected, all, nullptr, environment);  // which may rotate the items
    EXPECT_TRUE(same_bits(model.ranking.items, expected.items));
}

TEST(TrainTest, ACancelLeavesAtAnyPoint) {
    Environment plain;
    const Dataset dataset = make_dataset(positive_ratings(), plain);
    for (const int after : {0, 1, 3, 10, 30, 100}) {
        Environment environment;
        environment.threads = 2;
        int asked = 0;
        environment.interrupted = [&] { return asked++ >= after; };
        environment.checkpoint = [] { throw std::runtime_error("cancelled"); };
        EXPECT_THROW(train(dataset, small_options(Feedback::Explicit, 0.2), environment), std::runtime_error);
    }
}

TEST(TrainTest, CountingInteractionsLooksAtTheInterrupt) {
    std::vector<Entry> entries;
    constexpr std::uint32_t kUsers = 2048, kItems = 40000, kEntries = 1 << 21;
    for (std::uint32_t e = 0; e < kEntries; ++e) entries.push_back({e % kUsers, (e / kUsers) * 39 + e % 39, 1.0f});
    Environment environment;
    const Dataset dataset = make_dataset(entries, environment);
    ASSERT_GT(dataset.items.size(), kItems / 2);
    TrainOptions options = small_options(Feedback::Implicit, 0);
    options.factors = options.ials.iterations = 1;
    int looks = 0;
    environment.interrupted = [&] { return ++looks < 0; };
    environment.checkpoint = [] {};
    TrainSummary summary;
    train_factors(dataset.by_user, nullptr, options, environment, nullptr, {}, summary);
    const int without = std::exchange(looks, 0);
    train(dataset, options, environment);
    EXPECT_GE(looks - without, static_cast<int>(dataset.by_user.entries() >> 20));
}

TEST(TrainTest, InvalidOptionsAreRefused) {
    Environment environment;
    const Dataset dataset = make_dataset(positive_ratings(), environment);
    TrainOptions options = small_options(Feedback::Explicit, 0);
    options.als.iterations = 0;
    EXPECT_THROW(train(dataset, options, environment), InvalidArgument);
}

TEST(TrainTest, DegenerateDataJustWorks) {
    Environment environment;
    for (const std::vector<Entry>& entries :
         {std::vector<Entry>{{0, 0, 5.0f}}, std::vector<Entry>{{0, 0, 1.0f}, {0, 1, 2.0f}},
          std::vector<Entry>{{0, 0, 1.0f}, {1, 0, 1.0f}}, std::vector<Entry>{{0, 0, 0.0f}, {1, 1, 0.0f}}})
        for (const Feedback feedback : {Feedback::Explicit, Feedback::Implicit})
            for (const double test_fraction : {0.0, 0.5}) {
                const TrainResult result =
                    train(make_dataset(entries, environment), small_options(feedback, test_fraction), environment);
                EXPECT_TRUE(all_finite(result.model.ranking.users));
            }
}

TEST(TrainingMemoryTest, GrowsWithEverything) {
    TrainOptions options = small_options(Feedback::Explicit, 0);
    options.factors = 64;
    const std::size_t base = training_memory(138493, 26744, 20000000, 1000000, options, 2);
    // The bound promised for 138,493 users × 26,744 items and 20 M ratings: 24 bytes a rating, 12·k a row, 200 MB.
    EXPECT_LT(base, 24u * 20000000u + 12u * 64u * (138493u + 26744u) + (200u << 20));
    EXPECT_GT(base, 16u * 20000000u + 8u * 64u * (138493u + 26744u));
    EXPECT_GT(training_memory(138493, 26744, 40000000, 1000000, options, 2), base);
    EXPECT_GT(training_memory(238493, 26744, 20000000, 1000000, options, 2), base);
    EXPECT_GT(training_memory(138493, 36744, 20000000, 1000000, options, 2), base);
    // The copy in 16 bits of the larger side.
    TrainOptions exact = options;
    exact.solver = Solver::Cholesky;
    EXPECT_EQ(training_memory(138493, 26744, 20000000, 1000000, exact, 2), base - 2u * 64u * 138493u);
    // The builder's counters, where users and items are so many that blocks of cells have few users: 24 GB here.
    TrainOptions small = options;
    small.factors = 1;
    EXPECT_GT(training_memory(100000000, 100000000, 1000000000, 0, small, 1), std::size_t{40} << 30);
    EXPECT_GT(training_memory(138493, 26744, 20000000, 1000000, options, 64), base);
    EXPECT_EQ(training_memory(138493, 26744, 20000000, 3000000, options, 2), base + 2000000);
    options.test_fraction = 0.1;
    EXPECT_GT(training_memory(138493, 26744, 20000000, 1000000, options, 2), base);
    constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();
    EXPECT_GT(training_memory(kHuge, kHuge, kHuge, 1000000, options, 64), std::size_t{1} << 60);
}

}  // namespace
}  // namespace mf
