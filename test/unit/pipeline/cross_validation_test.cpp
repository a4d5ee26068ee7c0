#include "core/pipeline/cross_validation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/pipeline/train.hpp"
#include "unit/generated_data.hpp"

namespace mf {
namespace {

using test::Entry;
using test::make_dataset;
using test::planted_ratings;

TrainOptions small_options(Feedback feedback) {
    TrainOptions options;
    options.feedback = feedback;
    options.factors = 8;
    options.als.iterations = options.ials.iterations = 4;
    return options;
}

std::vector<Entry> ratings() {
    std::vector<Entry> entries = planted_ratings(150, 60, 3, 0.4, 0.3, 21);
    for (Entry& entry : entries) entry.value = std::clamp(entry.value, 1.0f, 5.0f);
    return entries;
}

bool in_fold(const Entry& entry, std::uint32_t fold, std::uint32_t folds) {
    return fold_of(id_hash(std::to_string(entry.user)), id_hash(std::to_string(1000 + entry.item)), folds, 1) == fold;
}

FoldResult validate(const Dataset& dataset, std::uint32_t fold, std::uint32_t folds, const TrainOptions& options,
                    Environment& environment) {
    return validate_fold(dataset.by_user, id_hashes(dataset, environment), fold, folds, options, 10, environment);
}

// Two sources made by hand, as a user would split them by mf_fold.
TEST(CrossValidation, IsTheTrainingOfTheOtherRows) {
    Environment environment;
    for (const Feedback feedback : {Feedback::Explicit, Feedback::Implicit}) {
        for (const double fraction : {0.0, 0.2}) {
            std::vector<Entry> train_rows, test_rows;
            for (const Entry& entry : ratings()) (in_fold(entry, 1, 3) ? test_rows : train_rows).push_back(entry);
            TrainOptions options = small_options(feedback);
            options.test_fraction = fraction;
            const Dataset whole = make_dataset(ratings(), environment);
            const Dataset train_part = make_dataset(train_rows, environment);
            // Every user and item keeps rows, so that numbers are those of the whole.
            ASSERT_EQ(train_part.users.size(), whole.users.size());
            ASSERT_EQ(train_part.items.size(), whole.items.size());
            const Model model = train(train_part, options, environment).model;
            const Csr test = test::make_csr(test_rows, whole.users.size(), whole.items.size());
            const FoldResult result = validate(whole, 1, 3, options, environment);
            const ListMetrics lists = measure_lists(model.ranking, train_part.by_user, test, 10, environment);
            EXPECT_EQ(result.lists.users, lists.users);
            EXPECT_EQ(result.lists.ndcg, lists.ndcg);
            EXPECT_EQ(result.lists.recall, lists.recall);
            EXPECT_GT(result.lists.mean_ndcg(), 0.05);
            if (feedback == Feedback::Implicit) {
                EXPECT_EQ(result.predictions.count, 0u);
                continue;
            }
            const PredictionErrors errors = measure_predictions(*model.rating, test, environment);
            EXPECT_EQ(result.predictions.count, test_rows.size());
            EXPECT_EQ(result.predictions.squares, errors.squares);
            EXPECT_EQ(result.predictions.absolute, errors.absolute);
        }
    }
}

TEST(CrossValidation, HasTheSameBitsForAnyThreads) {
    Environment environment;
    const Dataset dataset = make_dataset(ratings(), environment);
    const FoldResult single = validate(dataset, 0, 4, small_options(Feedback::Explicit), environment);
    for (const int threads : {2, 7}) {
        environment.threads = threads;
        const FoldResult result = validate(dataset, 0, 4, small_options(Feedback::Explicit), environment);
        EXPECT_EQ(std::bit_cast<std::uint64_t>(result.lists.ndcg), std::bit_cast<std::uint64_t>(single.lists.ndcg));
        EXPECT_EQ(std::bit_cast<std::uint64_t>(result.predictions.squares),
                  std::bit_cast<std::uint64_t>(single.predictions.squares));
    }
}

// User 0 has one row, item 0 too: each alone in a fold some time.
TEST(CrossValidation, ColdUsersArePredictedByBiasAndGetPopularItems) {
    Environment environment;
    std::vector<Entry> entries;
    for (const Entry& entry : ratings())
        if (entry.user != 0 && entry.item != 0) entries.push_back(entry);
    // The most popular item, so that a list of popular items has it.
    std::vector<int> interactions(60);
    for (const Entry& entry : entries) ++interactions[entry.item];
    const auto popular =
        static_cast<std::uint32_t>(std::max_element(interactions.begin(), interactions.end()) - interactions.begin());
    const Entry cold_user{0, popular, 4};
    const Entry cold_item{7, 0, 2};
    entries.push_back(cold_user);
    entries.push_back(cold_item);
    const Dataset dataset = make_dataset(entries, environment);
    bool user_found = false, item_found = false;
    for (std::uint32_t fold = 0; fold < 3; ++fold) {
        std::size_t test_rows = 0;
        for (const Entry& entry : entries) test_rows += in_fold(entry, fold, 3);
        const FoldResult result = validate(dataset, fold, 3, small_options(Feedback::Explicit), environment);
        const bool item_is_cold = in_fold(cold_item, fold, 3);
        item_found |= item_is_cold;
        EXPECT_EQ(result.predictions.count, test_rows);
        if (!in_fold(cold_user, fold, 3)) continue;
        user_found = true;
        // Without the cold user's row nothing else changes: the difference is what it contributes.
        std::vector<Entry> others;
        for (const Entry& entry : entries)
            if (entry.user != 0) others.push_back(entry);
        const Dataset fewer = make_dataset(others, environment);
        const FoldResult rest = validate(fewer, fold, 3, small_options(Feedback::Explicit), environment);
        ASSERT_EQ(result.lists.users, rest.lists.users + 1);
        // The item is among the first ten: how far up depends on the fold's rows.
        EXPECT_NEAR(result.lists.recall - rest.lists.recall, 1.0, 1e-12);
        EXPECT_GT(result.lists.ndcg - rest.lists.ndcg, 1 / std::log2(11.0) - 1e-9);
        const double error = result.predictions.absolute - rest.predictions.absolute;
        EXPECT_GT(error, 1e-6);  // the mean and a bias are not exactly 4
        EXPECT_LT(error, 3.0);
        EXPECT_NEAR(result.predictions.squares - rest.predictions.squares, error * error, 1e-9);
    }
    EXPECT_TRUE(user_found && item_found);
}

TEST(CrossValidation, NeedsSomethingToTrainOn) {
    Environment environment;
    const Dataset dataset = make_dataset({{0, 0, 3}}, environment);
    const std::uint32_t fold = in_fold({0, 0, 3}, 0, 2) ? 0 : 1;
    EXPECT_THROW(validate(dataset, fold, 2, small_options(Feedback::Explicit), environment), InvalidData);
    const FoldResult nothing_held_out = validate(dataset, 1 - fold, 2, small_options(Feedback::Explicit), environment);
    EXPECT_EQ(nothing_held_out.predictions.count, 0u);
    EXPECT_TRUE(std::isnan(nothing_held_out.lists.mean_ndcg()));
}

}  // namespace
}  // namespace mf
