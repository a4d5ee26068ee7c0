#include "core/evaluation/bias_baseline.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "unit/generated_data.hpp"

namespace mf {
namespace {

using test::make_csr;

TEST(BiasBaseline, SmallCase) {
    Environment environment;
    const Csr train = make_csr({{0, 0, 5}, {0, 1, 3}, {1, 0, 4}}, 3, 3);
    const Csr held_out = make_csr({{0, 2, 4}, {1, 1, 2}, {2, 0, 5}}, 3, 3);
    // The mean is 4; item 0 has residuals 1 and 0, item 1 has -1, item 2 has none, like user 2.
    const double item_0 = 1.0 / 27, item_1 = -1.0 / 26;
    const double user_0 = ((1 - item_0) + (-1 - item_1)) / 12, user_1 = -item_0 / 11;
    const double errors[] = {user_0, user_1 + item_1 + 2, item_0 - 1};
    double squares = 0;
    for (const double error : errors) squares += error * error;
    const PredictionErrors measured = measure_biases(train, held_out, environment);
    EXPECT_EQ(measured.count, 3u);
    EXPECT_NEAR(measured.rmse(), std::sqrt(squares / 3), 1e-12);
}

TEST(BiasBaseline, PredictsWithinTheRangeOfTheRatings) {
    Environment environment;
    constexpr std::uint32_t kItems = 1000;
    std::vector<test::Entry> entries;
    for (std::uint32_t i = 0; i < kItems; ++i) {
        entries.push_back({0, i, 5});
        for (std::uint32_t user = 1; user < 100; ++user) entries.push_back({user, i, i == 0 ? 5.0f : 1.0f});
    }
    // The biases of user 0 and item 0 add to far more than 5.
    const Csr train = make_csr(entries, 100, kItems);
    EXPECT_DOUBLE_EQ(measure_biases(train, make_csr({{0, 0, 7}}, 100, kItems), environment).rmse(), 2);
}

TEST(BiasBaseline, OfNothingIsNotANumber) {
    Environment environment;
    const Csr nothing = make_csr({}, 2, 2);
    EXPECT_TRUE(std::isnan(measure_biases(nothing, make_csr({{0, 0, 1}}, 2, 2), environment).rmse()));
    EXPECT_TRUE(std::isnan(measure_biases(make_csr({{0, 0, 1}}, 2, 2), nothing, environment).rmse()));
}

}  // namespace
}  // namespace mf
