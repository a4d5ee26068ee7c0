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
    std::vector<RowBlock> blocks = row_blocks(matrix, 64);
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
    EXPECT_EQ(row_blocks(matrix, 16).size(), 2u);
    EXPECT_GT(row_blocks(matrix, 1024).size(), 10u);
}

TEST(RowBlocksTest, NoRows) { EXPECT_TRUE(row_blocks(Csr{}, 8).empty()); }

}  // namespace
}  // namespace mf
