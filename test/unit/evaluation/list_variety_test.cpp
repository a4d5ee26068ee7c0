#include "core/evaluation/list_variety.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/linalg/factor_matrix.hpp"

namespace mf {
namespace {

struct Fixture {
    Fixture() {
        for (int i = 0; i < 4; ++i)
            for (int j = 0; j < 2; ++j) factors.row(i)[j] = rows[i][j];
    }
    ListVariety of(const std::vector<std::uint32_t>& list) const {
        Environment environment;
        const OwnedItemIndex index(factors, environment);
        return list_variety(list, index.get(), interactions, 16);
    }

    const float rows[4][2] = {{3, 4}, {0, 0.5f}, {0, 0}, {-6, -8}};
    FactorMatrix factors{4, 2};
    const std::vector<std::uint32_t> interactions = {16, 4, 1, 0};
};

TEST(ListVariety, NoveltyIsTheMeanSelfInformation) {
    const Fixture fixture;
    EXPECT_DOUBLE_EQ(fixture.of({0}).novelty, 0);  // everybody has it
    EXPECT_DOUBLE_EQ(fixture.of({1}).novelty, 2);
    EXPECT_DOUBLE_EQ(fixture.of({1, 2, 0}).novelty, (2.0 + 4 + 0) / 3);
    EXPECT_DOUBLE_EQ(fixture.of({3}).novelty, 4);  // as one that a single user has
    EXPECT_TRUE(std::isnan(fixture.of({}).novelty));
}

TEST(ListVariety, SimilarityIsTheMeanCosineOfPairs) {
    const Fixture fixture;
    EXPECT_NEAR(fixture.of({0, 1}).similarity, 0.8, 1e-12);
    EXPECT_NEAR(fixture.of({0, 3}).similarity, -1, 1e-12);
    EXPECT_NEAR(fixture.of({0, 2}).similarity, 0, 1e-12);
    EXPECT_NEAR(fixture.of({0, 1, 2, 3}).similarity, (0.8 + 0 - 1 + 0 - 0.8 + 0) / 6, 1e-12);
    EXPECT_TRUE(std::isnan(fixture.of({1}).similarity));
    EXPECT_TRUE(std::isnan(fixture.of({}).similarity));
}

TEST(ListVariety, TakesFactorsOfAnyLength) {
    Environment environment;
    FactorMatrix factors(2, 3);
    for (int j = 0; j < 3; ++j) {
        factors.row(0)[j] = 1e30f;
        factors.row(1)[j] = 1e-30f;
    }
    const OwnedItemIndex index(factors, environment);
    const std::vector<std::uint32_t> list = {0, 1}, interactions = {1, 1};
    EXPECT_NEAR(list_variety(list, index.get(), interactions, 1).similarity, 1, 1e-6);
}

}  // namespace
}  // namespace mf
