#include "core/data/duplicates.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "core/base/random.hpp"
#include "core/data/interactions.hpp"

namespace mf {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kGreatest = std::numeric_limits<float>::max();

float merged(Duplicates rule, std::initializer_list<float> values) {
    MergedValue value(rule);
    for (const float added : values) value.add(added);
    return value.value();
}

TEST(MergedValue, EachRule) {
    EXPECT_EQ(merged(Duplicates::Mean, {3, 4, 8}), 5.0f);
    EXPECT_EQ(merged(Duplicates::Sum, {3, 4, 8}), 15.0f);
    EXPECT_EQ(merged(Duplicates::Last, {3, 8, 4}), 4.0f);
}

TEST(MergedValue, OneValueStaysAsItIsAndNoneIsNaN) {
    for (const Duplicates rule : {Duplicates::Mean, Duplicates::Sum, Duplicates::Last, Duplicates::Error}) {
        for (const float value : {0.1f, kGreatest, -0.0f, 1e-45f})
            EXPECT_EQ(std::bit_cast<std::uint32_t>(merged(rule, {value})), std::bit_cast<std::uint32_t>(value));
        EXPECT_TRUE(std::isnan(merged(rule, {kNaN})));
        EXPECT_TRUE(std::isnan(merged(rule, {})));
    }
}

TEST(MergedValue, AddsInDoublePrecisionInTheOrderGiven) {
    EXPECT_EQ(merged(Duplicates::Sum, {0x1p24f, 1, 1}), 0x1p24f + 2);
    EXPECT_EQ(merged(Duplicates::Sum, {0x1p60f, -0x1p60f, 1}), 1.0f);
    EXPECT_EQ(merged(Duplicates::Sum, {0x1p60f, 1, -0x1p60f}), 0.0f);
    EXPECT_EQ(merged(Duplicates::Mean, {0x1p60f, 1, -0x1p60f, 8}), 2.0f);
    EXPECT_EQ(merged(Duplicates::Mean, {kGreatest, kGreatest}), kGreatest);
    EXPECT_EQ(merged(Duplicates::Sum, {kGreatest, kGreatest}), kInfinity);
}

TEST(MergeOrder, TimeThenValueAndAPlaceForNaN) {
    const std::pair<double, float> ascending[] = {{-kInfinity, 5}, {1, -kInfinity}, {1, -1},        {1, 2},
                                                  {1, kInfinity},  {1, kNaN},       {kInfinity, 0}, {kNaN, -3}};
    for (std::size_t a = 0; a < std::size(ascending); ++a)
        for (std::size_t b = 0; b < std::size(ascending); ++b)
            EXPECT_EQ(merge_order(ascending[a].first, ascending[a].second, ascending[b].first, ascending[b].second),
                      a <=> b);
    EXPECT_EQ(merge_order(0.0, -0.0f, -0.0, 0.0f), std::weak_ordering::equivalent);
}

/// What a training makes of the rows (time, value) of one cell.
float trained(std::span<const std::pair<double, float>> rows, Duplicates rule, bool with_times) {
    InteractionsBuilder builder(IdKind::Integer, IdKind::Integer, with_times);
    builder.users().intern(std::int64_t{1});
    builder.items().intern(std::int64_t{1});
    for (const auto& [time, value] : rows) builder.add(0, 0, value, time);
    Environment environment;
    return std::move(builder).finish(rule, environment).by_user.values[0];
}

TEST(MergeOrder, IsThatOfATrainingBitForBit) {
    Random random(7);
    int depending_on_order = 0;
    for (int round = 0; round < 500; ++round) {
        std::vector<std::pair<double, float>> rows;
        // Large values that cancel each other leave what small ones were added in between.
        for (std::uint32_t i = 0; i < 2 + static_cast<std::uint32_t>(round) % 40; ++i) {
            const float value =
                std::ldexp(static_cast<float>(random.normal()), static_cast<int>(random.next() % 80) - 40);
            rows.emplace_back(static_cast<double>(random.next() % 6) - 3, i % 2 == 0 ? value : -rows.back().second);
        }
        for (const bool with_times : {false, true}) {
            auto sorted = rows;
            std::sort(sorted.begin(), sorted.end(), [with_times](const auto& a, const auto& b) {
                return merge_order(with_times ? a.first : 0, a.second, with_times ? b.first : 0, b.second) < 0;
            });
            for (const Duplicates rule : {Duplicates::Mean, Duplicates::Sum, Duplicates::Last}) {
                MergedValue in_order(rule), as_given(rule);
                for (const auto& row : sorted) in_order.add(row.second);
                for (const auto& row : rows) as_given.add(row.second);
                EXPECT_EQ(std::bit_cast<std::uint32_t>(in_order.value()),
                          std::bit_cast<std::uint32_t>(trained(rows, rule, with_times)));
                depending_on_order += rule == Duplicates::Sum && in_order.value() != as_given.value();
            }
        }
    }
    EXPECT_GT(depending_on_order, 0);
}

}  // namespace
}  // namespace mf
