#include "core/retrieval/item_lists.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace mf {
namespace {

struct Row {
    std::uint32_t user;
    std::uint32_t item;
};

std::vector<Row> some_rows(std::uint32_t users, std::uint32_t items, std::size_t count) {
    std::mt19937 random(11);
    std::vector<Row> rows(count);
    for (Row& row : rows) {
        // Skewed: user 0 has a large share.
        row.user = random() % 4 == 0 ? 0 : random() % users;
        row.item = random() % items;
    }
    return rows;
}

/// Passes over the rows until every user was in a range; returns the number of passes.
int check_all(ItemLists& lists, const std::vector<Row>& rows, std::uint32_t users) {
    std::vector<std::set<std::uint32_t>> expected(users);
    for (const Row& row : rows) expected[row.user].insert(row.item);
    int passes = 0;
    std::vector<std::uint32_t> found;
    for (std::uint32_t first = 0; first < users; first = lists.end()) {
        lists.restart(first);
        for (const Row& row : rows) lists.add(row.user, row.item);
        ++passes;
        EXPECT_GT(lists.end(), first);
        for (std::uint32_t user = first; user < std::min(users, lists.end()); ++user) {
            lists.get(user, found);
            EXPECT_TRUE(std::equal(found.begin(), found.end(), expected[user].begin(), expected[user].end())) << user;
        }
        lists.get(first == 0 ? lists.end() : first - 1, found);
        EXPECT_TRUE(found.empty()) << "outside the range";
    }
    return passes;
}

TEST(ItemListsTest, KeepsAllWhereMemorySuffices) {
    for (const std::uint32_t items : {1u, 65536u, 65537u, 4000000000u}) {
        ItemLists lists(items, std::size_t{64} << 20);
        EXPECT_EQ(check_all(lists, some_rows(1000, items, 100000), 1000), 1);
    }
}

TEST(ItemListsTest, TakesMorePassesWhereItDoesNot) {
    for (const std::uint32_t items : {500u, 70000u}) {
        ItemLists lists(items, 100000);
        const int passes = check_all(lists, some_rows(1000, items, 100000), 1000);
        EXPECT_GT(passes, 2);
        EXPECT_LT(passes, 40);
    }
}

TEST(ItemListsTest, OneUserMayTakeMore) {
    ItemLists lists(70000, 64);
    std::vector<Row> rows = some_rows(3, 70000, 1000);
    EXPECT_EQ(check_all(lists, rows, 3), 3);
}

TEST(ItemListsTest, IsEmptyAtFirst) {
    ItemLists lists(10, 1000);
    std::vector<std::uint32_t> items{1};
    lists.get(5, items);
    EXPECT_TRUE(items.empty());
}

}  // namespace
}  // namespace mf
