#include "core/training/row_blocks.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/generated_data.hpp"

namespace mf {
namespace {

TEST(RowBlocksTest, EveryRowOnceAndTheCostliestFirst) {
    std::vector<test::Entry> entries;
    for (std::uint32_t i = 0; i < 5000; ++i) entries.push_back({700, i, 1.0f});
    for (std::uint32_t u = 0; u < 1000; ++u) entries.push_back({u, 6000 + u % 7, 1.0f});
    const Csr matrix = test::make_csr(entries, 1001, 6007);
    std::vector<RowBlock> blocks = plan_rows(matrix, 64).blocks;
    EXPECT_LE(blocks.front().begin, 700u);
    EXPECT_GT(blocks.front().end, 700u);
    std::sort(blocks.begin(), blocks.end(), [](const RowBlock& a, const RowBlock& b) { return a.begin < b.begin; });
    std::uint32_t next = 0;
    for (const RowBlock& block : blocks) {
        EXPECT_EQ(block.begin, next);
        EXPECT_LE(block.end - block.begin, 64u);
        next = block.end;
    }
    EXPECT_EQ(next, 1001u);
}

TEST(RowBlocksTest, ManyFactorsMakeSmallBlocks) {
    const Csr matrix = test::make_csr({{99, 0, 1.0f}}, 100, 1);
    EXPECT_EQ(plan_rows(matrix, 16).blocks.size(), 2u);
    EXPECT_GT(plan_rows(matrix, 1024).blocks.size(), 10u);
}

TEST(RowBlocksTest, LongRowsAreApart) {
    std::vector<test::Entry> entries;
    for (const std::uint32_t user : {0u, 3u, 4u})
        for (std::uint32_t i = 0; i < 4500; ++i) entries.push_back({user, i, 1.0f});
    for (std::uint32_t user = 0; user < 6; ++user) entries.push_back({user, 5000, 1.0f});
    const Csr matrix = test::make_csr(entries, 6, 5001);
    RowPlan plan = plan_rows(matrix, 1024);
    EXPECT_EQ(plan.long_rows, (std::vector<std::uint32_t>{0, 3, 4}));
    std::sort(plan.blocks.begin(), plan.blocks.end(),
              [](const RowBlock& a, const RowBlock& b) { return a.begin < b.begin; });
    ASSERT_EQ(plan.blocks.size(), 2u);
    EXPECT_EQ(plan.blocks[0].begin, 1u);
    EXPECT_EQ(plan.blocks[0].end, 3u);
    EXPECT_EQ(plan.blocks[1].begin, 5u);
    EXPECT_EQ(plan.blocks[1].end, 6u);
    EXPECT_TRUE(plan_rows(matrix, 64).long_rows.empty());
}

TEST(RowBlocksTest, NoRows) { EXPECT_TRUE(plan_rows(Csr{}, 8).blocks.empty()); }

}  // namespace
}  // namespace mf
