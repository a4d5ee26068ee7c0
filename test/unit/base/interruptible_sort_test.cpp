#include "core/base/interruptible_sort.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <utility>
#include <vector>

namespace mf {
namespace {

std::vector<std::pair<std::uint32_t, std::uint32_t>> random_pairs(std::size_t count) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs(count);
    std::uint32_t state = 1;
    for (std::uint32_t i = 0; i < count; ++i) pairs[i] = {(state = state * 1664525 + 1013904223) >> 18, i};
    return pairs;
}

/// Counts comparisons between two looks at the interrupt.
struct Watch {
    Watch() {
        environment.interrupted = [this] {
            ++looks;
            longest = std::max(longest, std::exchange(stretch, 0));
            return raise;
        };
        environment.checkpoint = [] { throw std::runtime_error("cancelled"); };
    }
    std::uint64_t longest_stretch() const { return std::max(longest, stretch); }

    Environment environment;
    std::uint64_t comparisons = 0, stretch = 0, longest = 0, looks = 0;
    bool raise = false;
};

auto counted(Watch& watch) {
    return [&watch](const auto& a, const auto& b) {
        ++watch.comparisons;
        ++watch.stretch;
        return a.first < b.first;
    };
}

TEST(InterruptibleSort, GivesTheOrderOfTheStandardLibrary) {
    for (const std::size_t count : {0, 1, 2, 17, 1000, 300000}) {
        auto pairs = random_pairs(count);
        auto expected = pairs;
        std::stable_sort(expected.begin(), expected.end(), [](auto& a, auto& b) { return a.first < b.first; });
        Environment environment;
        sort_with_checkpoints(std::span(pairs), environment, std::less<>());
        EXPECT_EQ(pairs, expected);
        if (count == 0) continue;
        pairs = random_pairs(count);
        nth_element_with_checkpoints(std::span(pairs), count / 2, environment, std::less<>());
        EXPECT_EQ(pairs[count / 2], expected[count / 2]);
    }
}

TEST(InterruptibleSort, LooksAtTheInterruptInASmallPartOfItsWork) {
    const std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs = random_pairs(1 << 20);
    for (int kind = 0; kind < 2; ++kind) {
        auto values = pairs;
        Watch watch;
        if (kind == 0) sort_with_checkpoints(std::span(values), watch.environment, counted(watch));
        if (kind == 1)
            nth_element_with_checkpoints(std::span(values), pairs.size() / 2, watch.environment, counted(watch));
        EXPECT_LE(watch.longest_stretch(), kComparisonsPerCheck);
        EXPECT_GE(watch.looks, watch.comparisons / kComparisonsPerCheck);
    }
}

TEST(InterruptibleSort, IsLeftByTheCheckpointsException) {
    auto pairs = random_pairs(1 << 20);
    Watch watch;
    const auto less = [&](const auto& a, const auto& b) {
        // Within the sort, not at its beginning.
        watch.raise = ++watch.comparisons > 1000000;
        return a.first < b.first;
    };
    EXPECT_THROW(sort_with_checkpoints(std::span(pairs), watch.environment, less), std::runtime_error);
    EXPECT_LE(watch.comparisons, 1000000 + kComparisonsPerCheck);
}

}  // namespace
}  // namespace mf
