#include "core/evaluation/metrics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/base/random.hpp"

namespace mf {
namespace {

/// rows[r] holds (column, value), ascending.
Csr csr_of(const std::vector<std::vector<std::pair<std::uint32_t, float>>>& rows, std::uint32_t columns) {
    Csr matrix;
    matrix.column_count = columns;
    matrix.offsets = Array<std::uint64_t>(rows.size() + 1, 0);
    std::size_t entries = 0;
    for (const auto& row : rows) entries += row.size();
    matrix.columns = Array<std::uint32_t>(entries);
    matrix.values = Array<float>(entries);
    std::size_t position = 0;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        for (const auto& [column, value] : rows[r]) {
            matrix.columns[position] = column;
            matrix.values[position++] = value;
        }
        matrix.offsets[r + 1] = position;
    }
    return matrix;
}

FactorMatrix random_factors(std::size_t rows, int factors, std::uint64_t seed) {
    FactorMatrix matrix(rows, factors);
    for (std::size_t r = 0; r < rows; ++r) {
        Random random(seed, r);
        for (int f = 0; f < factors; ++f) matrix.row(r)[f] = static_cast<float>(random.normal());
    }
    return matrix;
}

/// Two users, three items, one factor: predictions 3 + user bias + item bias + product.
RatingModel small_model() {
    RatingModel model;
    model.scale.mean = 3;
    model.scale.minimum = 1;
    model.scale.maximum = 5;
    model.users = FactorMatrix(2, 1);
    model.items = FactorMatrix(3, 1);
    model.user_bias = Array<float>(2, 0);
    model.item_bias = Array<float>(3, 0);
    model.users.row(0)[0] = 1;
    model.users.row(1)[0] = -2;
    model.items.row(0)[0] = 0.5f;
    model.items.row(1)[0] = 4;
    model.user_bias[0] = 0.25f;
    model.item_bias[2] = -0.5f;
    return model;
}

TEST(PredictRating, AddsItsFourParts) {
    const RatingModel model = small_model();
    EXPECT_EQ(predict_rating(model, 0, 0), 3.75);
    EXPECT_EQ(predict_rating(model, 0, 2), 2.75);
    EXPECT_EQ(predict_rating(model, 1, 0), 2);
}

TEST(PredictRating, IsClippedToTheRangeOfTraining) {
    const RatingModel model = small_model();
    EXPECT_EQ(predict_rating(model, 0, 1), 5);  // 7.25
    EXPECT_EQ(predict_rating(model, 1, 1), 1);  // -5
}

TEST(Rmse, SmallCase) {
    const RatingModel model = small_model();
    Environment environment;
    // Errors 0.75, -0.25 and 1.
    const Csr test = csr_of({{{0, 3}, {2, 3}}, {{0, 1}}}, 3);
    EXPECT_DOUBLE_EQ(measure_predictions(model, test, environment).rmse(), std::sqrt((0.5625 + 0.0625 + 1) / 3));
}

TEST(Mae, SmallCase) {
    const RatingModel model = small_model();
    Environment environment;
    const Csr test = csr_of({{{0, 3}, {2, 3}}, {{0, 1}}}, 3);
    EXPECT_DOUBLE_EQ(measure_predictions(model, test, environment).mae(), (0.75 + 0.25 + 1) / 3);
    EXPECT_TRUE(std::isnan(measure_predictions(model, Csr{}, environment).mae()));
}

TEST(Rmse, OfNothingIsNotANumber) {
    const RatingModel model = small_model();
    Environment environment;
    EXPECT_TRUE(std::isnan(measure_predictions(model, csr_of({{}, {}}, 3), environment).rmse()));
    EXPECT_TRUE(std::isnan(measure_predictions(model, Csr{}, environment).rmse()));
}

TEST(Rmse, HasTheSameBitsForAnyThreads) {
    constexpr std::uint32_t kUsers = 1000;
    RatingModel model;
    model.scale = {0, -100, 100};
    model.users = random_factors(kUsers, 8, 1);
    model.items = random_factors(50, 8, 2);
    model.user_bias = Array<float>(kUsers, 0.1f);
    model.item_bias = Array<float>(50, 0.2f);
    std::vector<std::vector<std::pair<std::uint32_t, float>>> rows(kUsers);
    Random random(3);
    double expected = 0;
    std::size_t entries = 0;
    for (std::uint32_t user = 0; user < kUsers; ++user) {
        for (std::uint32_t item = user % 3; item < 50; item += 1 + user % 7) {
            rows[user].emplace_back(item, static_cast<float>(random.normal()));
            double error = 0.1f + 0.2f - rows[user].back().second;
            for (int f = 0; f < 8; ++f) error += double{model.users.row(user)[f]} * model.items.row(item)[f];
            expected += error * error;
            ++entries;
        }
    }
    expected = std::sqrt(expected / static_cast<double>(entries));
    const Csr test = csr_of(rows, 50);
    Environment environment;
    const double single = measure_predictions(model, test, environment).rmse();
    EXPECT_NEAR(single, expected, 1e-6 * expected);
    for (const int threads : {2, 3, 7}) {
        environment.threads = threads;
        EXPECT_EQ(std::bit_cast<std::uint64_t>(measure_predictions(model, test, environment).rmse()),
                  std::bit_cast<std::uint64_t>(single));
    }
}

TEST(NdcgAt, HandCases) {
    const std::vector<std::uint32_t> relevant{2, 5, 9};
    const auto at = [&](std::vector<std::uint32_t> recommended, std::size_t k) {
        return ndcg_at({hit_positions(recommended, relevant, k), relevant.size()}, k);
    };
    const double second = 1 / std::log2(3.0);
    const double third = 0.5;
    EXPECT_DOUBLE_EQ(at({5, 9, 2}, 3), 1);
    EXPECT_DOUBLE_EQ(at({5, 9, 2, 1}, 10), 1) << "only three can hit";
    EXPECT_DOUBLE_EQ(at({5, 1, 2}, 3), (1 + third) / (1 + second + third));
    EXPECT_DOUBLE_EQ(at({1, 2}, 2), second / (1 + second)) << "ideal is of min(k, relevant) hits";
    EXPECT_DOUBLE_EQ(at({1, 3, 4}, 3), 0);
    EXPECT_DOUBLE_EQ(at({1, 3, 4, 2}, 3), 0) << "what comes after k does not count";
    EXPECT_DOUBLE_EQ(at({9}, 3), 1 / (1 + second + third)) << "a short list is not excused";
    EXPECT_DOUBLE_EQ(at({}, 3), 0);
    EXPECT_TRUE(hit_positions(std::vector<std::uint32_t>{2}, relevant, 0).empty());
    EXPECT_DOUBLE_EQ(at({2}, 1), 1);
}

/// Users 0 … 3 with the query (1), four items that score 4, 3, 2, 1.
RankingModel descending_items() {
    RankingModel model;
    model.users = FactorMatrix(4, 1);
    model.items = FactorMatrix(4, 1);
    for (std::uint32_t i = 0; i < 4; ++i) {
        model.users.row(i)[0] = 1;
        model.items.row(i)[0] = static_cast<float>(4 - i);
    }
    return model;
}

TEST(MeanNdcg, SmallCase) {
    const RankingModel model = descending_items();
    Environment environment;
    const Csr seen = csr_of({{{0, 1}}, {}, {{0, 1}, {1, 1}}, {{2, 1}}}, 4);
    const Csr test = csr_of({{{1, 1}}, {{1, 1}}, {}, {{0, 1}, {3, 1}}}, 4);
    // User 0 has seen item 0, so item 1 comes first; for user 1 it comes second; user 2 has no test row; user
    // 3 sees items 0 and 1 at the top, of which 0 is relevant.
    const double second = 1 / std::log2(3.0);
    EXPECT_DOUBLE_EQ(measure_lists(model, seen, test, 2, environment).mean_ndcg(), (1 + second + 1 / (1 + second)) / 3);
    EXPECT_DOUBLE_EQ(measure_lists(model, seen, test, 1, environment).mean_ndcg(), (1.0 + 0 + 1) / 3);
}

TEST(ListedItems, AreThoseOfAllLists) {
    const RankingModel model = descending_items();
    Environment environment;
    const Csr seen = csr_of({{{0, 1}}, {}, {{0, 1}, {1, 1}}, {{2, 1}}}, 4);
    const Csr test = csr_of({{{1, 1}}, {{1, 1}}, {}, {{0, 1}, {3, 1}}}, 4);
    for (const auto& [k, share] : {std::pair(1, 0.5), std::pair(2, 0.75), std::pair(3, 1.0)}) {
        ListedItems listed(4);
        measure_lists(model, seen, test, static_cast<std::size_t>(k), environment, &listed);
        EXPECT_EQ(listed.share(), share) << k;
    }
    EXPECT_TRUE(std::isnan(ListedItems(0).share()));
}

TEST(MeanRecall, SmallCase) {
    const RankingModel model = descending_items();
    Environment environment;
    const Csr seen = csr_of({{{0, 1}}, {}, {{0, 1}, {1, 1}}, {{2, 1}}}, 4);
    const Csr test = csr_of({{{1, 1}}, {{1, 1}}, {}, {{0, 1}, {3, 1}}}, 4);
    EXPECT_DOUBLE_EQ(measure_lists(model, seen, test, 2, environment).mean_recall(), (1 + 1 + 0.5) / 3);
    EXPECT_DOUBLE_EQ(measure_lists(model, seen, test, 1, environment).mean_recall(), (1 + 0 + 0.5) / 3);
}

TEST(MeanNdcg, OfNothingIsNotANumber) {
    const RankingModel model = descending_items();
    Environment environment;
    const Csr nothing = csr_of({{}, {}, {}, {}}, 4);
    EXPECT_TRUE(std::isnan(measure_lists(model, nothing, nothing, 10, environment).mean_ndcg()));
}

TEST(MeanNdcg, AgreesWithAPlainLoopForAnyThreads) {
    constexpr std::uint32_t kUsers = 400;
    constexpr std::uint32_t kItems = 300;
    RankingModel model;
    model.users = random_factors(kUsers, 5, 1);
    model.items = random_factors(kItems, 5, 2);
    std::vector<std::vector<std::pair<std::uint32_t, float>>> seen_rows(kUsers), test_rows(kUsers);
    Random random(3);
    for (std::uint32_t user = 0; user < kUsers; ++user) {
        for (std::uint32_t item = 0; item < kItems; ++item) {
            const std::uint64_t draw = random.next() % 20;
            if (draw < 2) seen_rows[user].emplace_back(item, 1.0f);
            if (draw == 2 && user % 5 != 0) test_rows[user].emplace_back(item, 1.0f);
        }
    }
    const Csr seen = csr_of(seen_rows, kItems);
    const Csr test = csr_of(test_rows, kItems);

    double total = 0;
    int users = 0;
    for (std::uint32_t user = 0; user < kUsers; ++user) {
        const auto relevant = test.row_columns(user);
        if (relevant.empty()) continue;
        const auto skip = seen.row_columns(user);
        std::vector<std::pair<double, std::uint32_t>> ranking;
        for (std::uint32_t item = 0; item < kItems; ++item) {
            if (std::binary_search(skip.begin(), skip.end(), item)) continue;
            double score = 0;
            for (int f = 0; f < 5; ++f) score += double{model.users.row(user)[f]} * model.items.row(item)[f];
            ranking.emplace_back(-score, item);
        }
        std::sort(ranking.begin(), ranking.end());
        std::vector<std::uint32_t> recommended;
        for (std::size_t i = 0; i < 10; ++i) recommended.push_back(ranking[i].second);
        total += ndcg_at({hit_positions(recommended, relevant, 10), relevant.size()}, 10);
        ++users;
    }

    Environment environment;
    const double single = measure_lists(model, seen, test, 10, environment).mean_ndcg();
    EXPECT_NEAR(single, total / users, 1e-9);
    for (const int threads : {2, 3, 7}) {
        environment.threads = threads;
        EXPECT_EQ(std::bit_cast<std::uint64_t>(measure_lists(model, seen, test, 10, environment).mean_ndcg()),
                  std::bit_cast<std::uint64_t>(single));
    }
}

TEST(MeanNdcg, CanBeCancelled) {
    const RankingModel model = descending_items();
    const Csr test = csr_of({{{1, 1}}, {}, {}, {}}, 4);
    Environment environment;
    environment.interrupted = [] { return true; };
    environment.checkpoint = [] { throw std::runtime_error("cancel"); };
    EXPECT_THROW(measure_lists(model, test, test, 10, environment), std::runtime_error);
}

}  // namespace
}  // namespace mf
