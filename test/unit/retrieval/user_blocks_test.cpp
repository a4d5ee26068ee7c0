#include "core/retrieval/user_blocks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace mf {
namespace {

TEST(UserBlocksTest, ShortListsLetABlockBeAsLargeAsAskedFor) {
    EXPECT_EQ(block_users(1, 26744, 2048), 2048u);
    EXPECT_EQ(block_users(10, 26744, 2048), 2048u);
    EXPECT_EQ(block_users(512, 26744, 2048), 2048u);
    EXPECT_EQ(block_users(10, 26744, 1024), 1024u);
}

TEST(UserBlocksTest, LongListsMakeItSmaller) {
    EXPECT_EQ(block_users(1024, 26744, 2048), 1024u);
    EXPECT_EQ(block_users(10000, 26744, 2048), 104u);
    EXPECT_EQ(block_users(200000, 200000, 2048), 32u);
}

TEST(UserBlocksTest, AListIsNeverLongerThanThereAreItems) {
    constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
    EXPECT_EQ(block_users(all, 100, 2048), 2048u);
    EXPECT_EQ(block_users(all, 26744, 2048), 39u);
    EXPECT_EQ(block_users(all, all, 2048), 1u);
}

TEST(UserBlocksTest, TheEntriesOfABlockAreBounded) {
    for (const std::size_t items : {1u, 7u, 1000u, 26744u, 32768u})
        for (std::size_t n = 0; n <= 2 * items; n += 1 + n / 3)
            EXPECT_LE(block_users(n, items, 2048) * std::min(n, items), std::size_t{1} << 20) << n << ' ' << items;
}

TEST(UserBlocksTest, ThreadsHaveSomethingToShareUnlessListsAreVeryLong) {
    EXPECT_EQ(block_users(1000000, 1000000, 2048), 8u);
    EXPECT_EQ(block_users(10000000, 10000000, 2048), 1u);
    for (std::size_t items = 1; items < std::size_t{1} << 40; items *= 3)
        EXPECT_LE(block_users(items, items, 2048) * items, std::max(items, std::size_t{1} << 23)) << items;
}

TEST(UserBlocksTest, NothingAskedForOrNoItems) {
    EXPECT_EQ(block_users(0, 100, 2048), 2048u);
    EXPECT_EQ(block_users(10, 0, 2048), 2048u);
}

TEST(UserBlocksTest, ThreadsShareTheQueriesOfABlock) {
    EXPECT_EQ(queries_at_once(2048, 2), kQueriesAtOnce);
    EXPECT_EQ(queries_at_once(32, 1), 32u);
    EXPECT_EQ(queries_at_once(32, 2), 16u);
    EXPECT_EQ(queries_at_once(33, 2), 17u);
    EXPECT_EQ(queries_at_once(3, 8), 1u);
    EXPECT_EQ(queries_at_once(0, 2), 1u);
}

}  // namespace
}  // namespace mf
