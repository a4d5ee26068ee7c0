#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "core/pipeline/cross_validation.hpp"
#include "core/pipeline/find_options.hpp"
#include "core/pipeline/train.hpp"
#include "core/training/als_fold_in.hpp"
#include "core/training/feature_map.hpp"
#include "core/training/ials_fold_in.hpp"
#include "unit/generated_data.hpp"

namespace mf {
namespace {

using test::Entry;
using test::history_of;
using test::make_dataset;
using test::planted_ratings;
using test::same_bits;
using test::small_options;

/// Users 2 · i and 2 · i + 1 are of one group of `groups`, and like the items of their group better than others.
std::vector<Entry> ratings_of_groups(std::uint32_t users, std::uint32_t items, std::uint32_t groups) {
    std::vector<Entry> entries = planted_ratings(users, items, 2, 0.15, 0.3, 5);
    for (Entry& entry : entries) {
        const bool likes = entry.user / 2 % groups == entry.item % groups;
        entry.value = std::clamp((likes ? 4.5f : 2.0f) + 0.3f * entry.value, 1.0f, 5.0f);
    }
    std::erase_if(entries, [&](const Entry& entry) {
        return entry.user / 2 % groups != entry.item % groups && (entry.user + entry.item) % 5 > 0;
    });
    return entries;
}

/// The group of each user as a category, and a number that tells nothing; of every fifth user nothing.
FeatureValues features_of(const Dataset& dataset, std::uint32_t groups, Environment& environment) {
    InteractionsBuilder builder(dataset.users.kind(), IdKind::Text, false);
    for (std::uint32_t user = 0; user < dataset.users.size(); ++user) {
        const std::int64_t id = dataset.users.integer(user);
        if (id % 5 == 4) continue;
        const char group[] = {'g', static_cast<char>('0' + id / 2 % groups)};
        const std::uint32_t row = builder.users().intern(id);
        builder.add(row, builder.items().intern(std::string_view(group, 2)), 1);
        builder.add(row, builder.items().intern("number"), static_cast<float>(id % 3));
    }
    FeatureRows rows{std::move(builder).finish(Duplicates::Mean, environment), {}};
    for (std::uint32_t feature = 0; feature < rows.rows.items.size(); ++feature)
        rows.is_number.push_back(rows.rows.items.bytes(feature) == "number");
    return values_of_ids(rows, dataset.users, environment);
}

/// Expects each stored user to be the fold-in of the history from what the features let expect.
void expect_fold_ins(const Dataset& dataset, const FeatureValues& features, const Model& model,
                     Environment& environment) {
    const RankingModel& ranking = model.ranking;
    ASSERT_EQ(ranking.user_map.rows(), features.rows.column_count + 1u);
    const Csr scaled = scale_features(features.rows, model.user_features, environment);
    const FactorMatrix centers = expected_factors(scaled, ranking.user_map, environment);
    IalsFoldIn fold_in({ranking.items, {}, GramMatrix(ranking.items, environment)},
                       from_numbers<IalsParameters>(ranking.parameters));
    Array<float> row(FactorMatrix::padded(8)), center(FactorMatrix::padded(8), 0.0f);
    for (std::uint32_t user = 0; user < dataset.users.size(); ++user) {
        fold_in.solve(history_of(dataset.by_user, user), row.data(), nullptr, centers.row(user));
        ASSERT_TRUE(std::equal(row.begin(), row.end(), ranking.users.row(user))) << user;
    }
    if (!model.rating) return;
    const RatingModel& rating = *model.rating;
    const FactorMatrix biased = expected_factors(scaled, rating.user_map, environment);
    AlsFoldIn rating_fold_in({rating.items, rating.item_bias}, rating.scale.mean,
                             from_numbers<AlsParameters>(rating.parameters));
    for (std::uint32_t user = 0; user < dataset.users.size(); ++user) {
        std::copy_n(biased.row(user), 8, center.data());
        float bias = 0;
        rating_fold_in.solve(history_of(dataset.by_user, user), row.data(), &bias, nullptr,
                             {center.data(), biased.row(user)[8]});
        ASSERT_TRUE(std::equal(row.begin(), row.end(), rating.users.row(user))) << user;
        ASSERT_EQ(bias, rating.user_bias[user]) << user;
    }
}

TEST(UserFeaturesTest, StoredUsersAreDrawnToWhatTheirFeaturesSay) {
    Environment environment;
    environment.threads = 2;
    const Dataset dataset = make_dataset(ratings_of_groups(150, 80, 4), environment);
    const FeatureValues features = features_of(dataset, 4, environment);
    for (const Feedback feedback : {Feedback::Explicit, Feedback::Implicit})
        for (const double test_fraction : {0.0, 0.3})
            for (const auto solver : {Solver::Cholesky, Solver::ConjugateGradient}) {
                TrainOptions options = small_options(feedback, test_fraction);
                options.solver = solver;
                const Model model = train(dataset, options, environment, nullptr, {nullptr, &features}).model;
                EXPECT_EQ(model.user_features.size(), 5u);
                expect_fold_ins(dataset, features, model, environment);
                const Model plain = train(dataset, options, environment).model;
                EXPECT_FALSE(same_bits(plain.ranking.users, model.ranking.users));
                EXPECT_EQ(plain.ranking.user_map.rows(), 0u);
            }
}

TEST(UserFeaturesTest, TrainingThatEndsEarlyHasAMapAllTheSame) {
    Environment environment;
    environment.on_iteration = [](const Iteration& iteration) { return iteration.iteration < 2; };
    const Dataset dataset = make_dataset(ratings_of_groups(100, 60, 3), environment);
    const FeatureValues features = features_of(dataset, 3, environment);
    const Model model =
        train(dataset, small_options(Feedback::Explicit, 0), environment, nullptr, {nullptr, &features}).model;
    EXPECT_EQ(model.ranking.iterations, 2);
    expect_fold_ins(dataset, features, model, environment);
}

TEST(UserFeaturesTest, ThreadsDoNotMatter) {
    Environment one, two;
    two.threads = 2;
    const Dataset dataset = make_dataset(ratings_of_groups(150, 80, 4), one);
    const FeatureValues features = features_of(dataset, 4, one);
    const TrainOptions options = small_options(Feedback::Explicit, 0);
    const Model a = train(dataset, options, one, nullptr, {nullptr, &features}).model;
    const Model b = train(dataset, options, two, nullptr, {nullptr, &features}).model;
    EXPECT_TRUE(same_bits(a.ranking.users, b.ranking.users));
    EXPECT_TRUE(same_bits(a.ranking.user_map, b.ranking.user_map));
    EXPECT_TRUE(same_bits(a.rating->user_map, b.rating->user_map));
}

// Users without other rows get lists and predictions by their features, which beat popularity and the mean.
TEST(UserFeaturesTest, CrossValidationKnowsUsersByTheirFeatures) {
    Environment environment;
    std::vector<Entry> entries = ratings_of_groups(400, 60, 4);
    // One row each: a user in the fold has nothing to train on.
    std::vector<bool> has_row(400);
    std::erase_if(entries, [&](const Entry& entry) {
        if (entry.user < 200) return false;
        const bool likes = entry.user / 2 % 4 == entry.item % 4;
        if (!likes || has_row[entry.user]) return true;
        has_row[entry.user] = true;
        return false;
    });
    const Dataset dataset = make_dataset(entries, environment);
    const FeatureValues features = features_of(dataset, 4, environment);
    const IdHashes hashes = id_hashes(dataset, environment);
    const TrainOptions options = small_options(Feedback::Explicit, 0);
    const auto measure = [&](const KnownFeatures& known) {
        FoldResult total;
        for (std::uint32_t fold = 0; fold < 2; ++fold) {
            const FoldResult one = validate_fold(dataset.by_user, hashes, fold, 2, options, 10, environment, known);
            total.lists += one.lists;
            total.predictions += one.predictions;
        }
        return total;
    };
    const FoldResult plain = measure({}), with = measure({nullptr, &features});
    EXPECT_GT(with.lists.mean_ndcg(), plain.lists.mean_ndcg() + 0.05);
    EXPECT_LT(with.predictions.rmse(), plain.predictions.rmse());
}

}  // namespace
}  // namespace mf
