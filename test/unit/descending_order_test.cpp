#include "core/descending_order.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace mf {
namespace {

TEST(DescendingOrder, PutsTheGreatestFirstAndTiesByIndex) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const std::vector<double> keys{1, -kInfinity, 3, 1, kInfinity, 3, 1};
    std::vector<std::uint32_t> order(keys.size());
    descending_order(order, [&](std::uint32_t i) { return keys[i]; });
    EXPECT_EQ(order, (std::vector<std::uint32_t>{4, 2, 5, 0, 3, 6, 1}));
}

TEST(DescendingOrder, OfNothingIsEmpty) {
    descending_order({}, [](std::uint32_t i) { return i; });
}

}  // namespace
}  // namespace mf
