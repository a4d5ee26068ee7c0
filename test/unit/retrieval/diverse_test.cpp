#include "core/retrieval/diverse.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/base/random.hpp"

namespace mf {
namespace {

std::vector<std::uint32_t> items_of(const std::vector<ScoredItem>& list) {
    std::vector<std::uint32_t> items;
    for (const ScoredItem& scored : list) items.push_back(scored.item);
    return items;
}

class Diverse : public testing::Test {
  protected:
    static FactorMatrix rows(const std::vector<std::vector<float>>& values) {
        FactorMatrix matrix(values.size(), static_cast<int>(values[0].size()));
        for (std::size_t r = 0; r < values.size(); ++r) std::copy(values[r].begin(), values[r].end(), matrix.row(r));
        return matrix;
    }
    Environment environment;
};

TEST_F(Diverse, PrefersWhatIsNotLikeTheItemsBefore) {
    // 0, 1 and 2 point the same way; 3 across, 4 the opposite way.
    const FactorMatrix matrix = rows({{1, 0}, {2, 0}, {0.5f, 0}, {0, 1}, {-1, 0}});
    const OwnedItemIndex index(matrix, environment);
    const std::vector<ScoredItem> choices{{0, 1.0f}, {1, 0.9f}, {2, 0.8f}, {3, 0.5f}, {4, 0.0f}};
    const auto list = [&](std::size_t n, double diversity) {
        return items_of(diverse_list(index.get(), choices, n, diversity, environment));
    };
    EXPECT_EQ(list(3, 0), (std::vector<std::uint32_t>{0, 1, 2}));
    EXPECT_EQ(list(3, 0.1), (std::vector<std::uint32_t>{0, 1, 2}));
    EXPECT_EQ(list(3, 0.5), (std::vector<std::uint32_t>{0, 4, 3}));
    EXPECT_EQ(list(3, 0.3), (std::vector<std::uint32_t>{0, 3, 1}));
    EXPECT_EQ(list(5, 1), (std::vector<std::uint32_t>{0, 4, 3, 1, 2}));
    EXPECT_EQ(list(9, 1).size(), 5u);
    EXPECT_EQ(list(0, 1).size(), 0u);
}

TEST_F(Diverse, KeepsScoresAndServesEqualScoresAndRowsOfZeros) {
    const FactorMatrix matrix = rows({{1, 0}, {0, 0}, {3, 0}, {0, 0}});
    const OwnedItemIndex index(matrix, environment);
    const std::vector<ScoredItem> choices{{0, 2.0f}, {1, 2.0f}, {2, 2.0f}, {3, 2.0f}};
    const std::vector<ScoredItem> list = diverse_list(index.get(), choices, 4, 0.3, environment);
    EXPECT_EQ(items_of(list), (std::vector<std::uint32_t>{0, 1, 3, 2}));
    for (const ScoredItem& scored : list) EXPECT_EQ(scored.score, 2.0f);
    EXPECT_TRUE(diverse_list(index.get(), {}, 4, 0.3, environment).empty());
}

TEST_F(Diverse, FollowsItsDefinition) {
    constexpr std::size_t kItems = 60;
    Random random(1);
    FactorMatrix matrix(kItems, 7);
    std::vector<ScoredItem> choices;
    for (std::uint32_t i = 0; i < kItems; ++i) {
        for (int f = 0; f < 7; ++f) matrix.row(i)[f] = static_cast<float>(random.normal());
        choices.push_back({i, 10 - 0.1f * static_cast<float>(i)});
    }
    const OwnedItemIndex index(matrix, environment);
    const auto cosine = [&](std::uint32_t a, std::uint32_t b) {
        double ab = 0, aa = 0, bb = 0;
        for (int f = 0; f < 7; ++f) {
            const double x = matrix.row(a)[f], y = matrix.row(b)[f];
            ab += x * y, aa += x * x, bb += y * y;
        }
        return ab / std::sqrt(aa * bb);
    };
    const std::vector<std::uint32_t> list = items_of(diverse_list(index.get(), choices, 6, 0.6, environment));
    ASSERT_EQ(list.size(), 6u);
    EXPECT_EQ(list[0], 0u);
    for (std::size_t place = 1; place < list.size(); ++place) {
        const auto value = [&](std::uint32_t item) {
            double nearest = -1;
            for (std::size_t i = 0; i < place; ++i) nearest = std::max(nearest, cosine(item, list[i]));
            return 0.4 * (1 - item / (kItems - 1.0)) - 0.6 * nearest;
        };
        for (std::uint32_t item = 0; item < kItems; ++item) {
            const auto end = list.begin() + static_cast<std::ptrdiff_t>(place);
            if (std::find(list.begin(), end, item) == end) {
                EXPECT_LE(value(item), value(list[place]) + 1e-6);
            }
        }
    }
}

}  // namespace
}  // namespace mf
