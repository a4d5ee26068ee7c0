#include "core/base/descending_order.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <vector>

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
