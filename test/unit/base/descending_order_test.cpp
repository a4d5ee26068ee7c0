#include "core/base/descending_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "core/base/random.hpp"

namespace mf {
namespace {

TEST(DescendingOrder, PutsTheGreatestFirstAndTiesByIndex) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const std::vector<double> keys{1, -kInfinity, 3, 1, kInfinity, 3, 1};
    std::vector<std::uint32_t> order(keys.size());
    Environment environment;
    descending_order(order, environment, [&](std::uint32_t i) { return keys[i]; });
    EXPECT_EQ(order, (std::vector<std::uint32_t>{4, 2, 5, 0, 3, 6, 1}));
}

TEST(DescendingOrder, IsThatOfAStableSort) {
    Environment environment;
    Random random(1);
    for (const std::size_t size : {2u, 255u, 5000u}) {
        std::vector<double> numbers(size);
        std::vector<std::uint32_t> counts(size);
        for (double& number : numbers) {
            number = std::ldexp(random.normal(), static_cast<int>(random.next() % 2000) - 1000);
            if (random.next() % 4 == 0) number = random.next() % 2 == 0 ? 0.0 : -0.0;
        }
        for (std::uint32_t& count : counts) count = static_cast<std::uint32_t>(random.next() % 300);
        const auto check = [&](const auto& keys) {
            std::vector<std::uint32_t> order(size), expected(size);
            descending_order(order, environment, [&](std::uint32_t i) { return keys[i]; });
            std::iota(expected.begin(), expected.end(), 0u);
            std::stable_sort(expected.begin(), expected.end(), [&](auto a, auto b) { return keys[a] > keys[b]; });
            EXPECT_EQ(order, expected);
        };
        check(numbers);
        check(counts);
    }
}

TEST(DescendingOrder, CanBeCancelledInTheMiddle) {
    std::vector<std::uint32_t> order(1 << 18);
    Environment environment;
    int looks = 0, after = 0;
    environment.interrupted = [&] { return ++looks == after; };
    environment.checkpoint = [] { throw std::runtime_error("cancelled"); };
    const auto key = [](std::uint32_t i) { return i * 2654435761u; };
    descending_order(order, environment, key);
    after = looks / 2;
    EXPECT_GT(after, 10);
    looks = 0;
    EXPECT_THROW(descending_order(order, environment, key), std::runtime_error);
}

TEST(DescendingOrder, OfNothingIsEmpty) {
    Environment environment;
    descending_order({}, environment, [](std::uint32_t i) { return i; });
}

}  // namespace
}  // namespace mf
