#include "core/evaluation/rank_codes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "core/linalg/kernels.hpp"

namespace mf {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Normal factors of `rows` rows; every row times a factor of its own, from `scale` downwards.
FactorMatrix normal_rows(std::size_t rows, int factors, float scale) {
    std::mt19937 random(static_cast<unsigned>(rows) + static_cast<unsigned>(factors));
    std::normal_distribution<float> normal;
    FactorMatrix matrix(rows, factors);
    for (std::size_t i = 0; i < rows; ++i)
        for (int f = 0; f < factors; ++f) matrix.row(i)[f] = normal(random) * scale / static_cast<float>(1 + i % 50);
    return matrix;
}

/// For each query and some scores: what limits() and the values tell of each item is true of its score. Returns the
/// share of the pairs that are left undecided.
double check_limits(const FactorMatrix& items, const FactorMatrix& queries) {
    Environment environment;
    const OwnedItemIndex index(items, environment);
    const RankCodes codes(index.get(), environment);
    const std::size_t stride = index.get().stride();
    const std::size_t blocks = stride / kLanes;
    std::size_t pairs = 0, undecided = 0;
    for (std::size_t u = 0; u < queries.rows(); ++u) {
        Array<std::int16_t> query_codes(kRankQueries * stride, 0);
        const RankQuery query(queries.row(u), stride, query_codes.data());
        for (std::size_t p = 0; p < index.get().items(); ++p) {
            Array<std::int32_t> values(kRankQueries * kRankBlock);
            const auto first = p % kRankBlock / kRankPanel * kRankPanel;
            rank_kernels().products(codes.panel(p / kRankPanel), query_codes.data(), stride, stride / 2,
                                    static_cast<std::int32_t>(first), values.data() + first);
            const std::int32_t value = values[p % kRankBlock];
            const float score = kernels().dot(queries.row(u), index.get().row_at(p), blocks);
            // Against itself, its neighbours and scores of other items.
            for (const float other : {score, std::nextafter(score, kInfinity), std::nextafter(score, -kInfinity),
                                      kernels().dot(queries.row(u), index.get().row_at(p / 2), blocks), 0.0f}) {
                const RankQuery::Limits limits = query.limits(codes.block(p / kRankBlock), other);
                EXPECT_LE(limits.low, limits.high);
                EXPECT_GT(limits.low, std::numeric_limits<std::int32_t>::min());
                EXPECT_TRUE(value >= limits.low || score < other) << score << " " << other;
                EXPECT_TRUE(value < limits.high || score > other) << score << " " << other;
                ++pairs;
                undecided += value >= limits.low && value < limits.high;
            }
        }
    }
    return static_cast<double>(undecided) / static_cast<double>(pairs);
}

TEST(RankCodesTest, LimitsHold) {
    for (const int factors : {1, 16, 64, 200})
        // Three of five pairs are of next to equal scores; nearly all others are decided.
        EXPECT_LT(check_limits(normal_rows(1100, factors, 1), normal_rows(8, factors, 3)), 0.64) << factors;
}

TEST(RankCodesTest, OneFactorThatOutweighsAll) {
    FactorMatrix items = normal_rows(200, 64, 1e-3f), queries = normal_rows(8, 64, 1e-3f);
    for (std::size_t i = 0; i < items.rows(); ++i) items.row(i)[3] = i % 2 == 0 ? 5.0f : -5.0f;
    for (std::size_t u = 0; u < queries.rows(); ++u) queries.row(u)[3] = 2;
    check_limits(items, queries);
}

TEST(RankCodesTest, NumbersAtTheEndsOfTheRange) {
    for (const float item_scale : {1e-38f, 1e-20f, 1e18f, 1e38f})
        for (const float query_scale : {1e-38f, 1.0f, 1e18f, 1e38f})
            check_limits(normal_rows(100, 16, item_scale), normal_rows(4, 16, query_scale));
    check_limits(FactorMatrix(70, 16), normal_rows(2, 16, 1));
    check_limits(normal_rows(70, 16, 1), FactorMatrix(2, 16));
}

// Nothing is told of what is not a number.
TEST(RankCodesTest, NotFinite) {
    for (const float bad : {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()}) {
        FactorMatrix items = normal_rows(80, 16, 1);
        Environment environment;
        Array<std::int16_t> codes(16);
        const OwnedItemIndex good_index(items, environment);
        const RankCodes good(good_index.get(), environment);
        const auto undecided = [&](const RankCodes& of, const FactorMatrix& query, float score) {
            const RankQuery::Limits limits = RankQuery(query.row(0), 16, codes.data()).limits(of.block(0), score);
            return limits.low < -2'000'000'000 && limits.high > 2'000'000'000;
        };
        FactorMatrix query = normal_rows(1, 16, 1);
        EXPECT_FALSE(undecided(good, query, 1));
        query.row(0)[5] = bad;
        EXPECT_TRUE(undecided(good, query, 1));
        items.row(7)[2] = bad;
        const OwnedItemIndex bad_index(items, environment);
        const RankCodes bad_codes(bad_index.get(), environment);
        EXPECT_TRUE(undecided(bad_codes, normal_rows(1, 16, 1), 1));
    }
}

}  // namespace
}  // namespace mf
