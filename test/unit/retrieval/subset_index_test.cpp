#include "core/retrieval/subset_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/base/random.hpp"

namespace mf {
namespace {

/// Small whole numbers: ties are frequent.
FactorMatrix whole_numbers(std::size_t rows, int factors, std::uint64_t seed) {
    Random random(seed);
    FactorMatrix matrix(rows, factors);
    for (std::size_t r = 0; r < rows; ++r)
        for (int f = 0; f < factors; ++f) matrix.row(r)[f] = static_cast<float>(random.next() % 7) - 3;
    return matrix;
}

std::vector<std::uint32_t> some_of(std::uint32_t items, std::uint64_t one_in, std::uint64_t seed) {
    Random random(seed);
    std::vector<std::uint32_t> some;
    for (std::uint32_t item = 0; item < items; ++item)
        if (random.next() % one_in == 0) some.push_back(item);
    return some;
}

TEST(SubsetIndex, GivesTheListsOfItsItemsAsCandidates) {
    constexpr std::uint32_t kItems = 1000;
    constexpr std::size_t kQueries = 40;
    Environment environment;
    const FactorMatrix items = whole_numbers(kItems, 20, 1), queries = whole_numbers(kQueries, 20, 2);
    const OwnedItemIndex all(items, environment);
    for (const std::uint64_t one_in : {1u, 2u, 30u, 900u}) {
        const SubsetIndex subset(all.get(), some_of(kItems, one_in, one_in), environment);
        for (std::size_t q = 0; q < kQueries; ++q) {
            const std::vector<std::uint32_t> excluded = some_of(kItems, 5, 100 + q);
            std::vector<std::uint32_t> positions = excluded;
            subset.to_positions(positions);
            std::vector<ScoredItem> list = top_n(queries.row(q), subset.index(), 10, positions);
            subset.to_items(list);
            const std::vector<ScoredItem> expected = top_n_of(queries.row(q), all.get(), 10, subset.items(), excluded);
            ASSERT_EQ(list.size(), expected.size());
            for (std::size_t i = 0; i < list.size(); ++i) {
                EXPECT_EQ(list[i].item, expected[i].item);
                EXPECT_EQ(list[i].score, expected[i].score);
            }
        }
    }
}

TEST(SubsetIndex, LeavesOutWhatItHasNot) {
    Environment environment;
    const FactorMatrix items = whole_numbers(100, 3, 1);
    const OwnedItemIndex all(items, environment);
    const SubsetIndex subset(all.get(), {3, 50, 99}, environment);
    std::vector<std::uint32_t> some{99, 4, 3, 3};
    subset.to_positions(some);
    EXPECT_EQ(some, (std::vector<std::uint32_t>{2, 0, 0}));
    EXPECT_GE(SubsetIndex::bytes(all.get(), 3), ItemIndex::bytes(3, 3) + 100 * sizeof(std::uint32_t));
}

}  // namespace
}  // namespace mf
