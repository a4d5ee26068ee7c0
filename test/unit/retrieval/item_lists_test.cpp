#include "core/retrieval/item_lists.hpp"

#include <gtest/gtest.h>

#include <algorithm>
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

/// Items of one user, ascending, each once.
std::vector<std::uint32_t> items_of(const ItemLists& lists, std::uint32_t user) {
    std::vector<std::vector<std::uint32_t>> found(1);
    lists.get(std::span(&user, 1), found);
    const std::set<std::uint32_t> distinct(found[0].begin(), found[0].end());
    return {distinct.begin(), distinct.end()};
}

/// Passes over the rows until every user was in a range; returns the number of passes.
int check_all(ItemLists& lists, const std::vector<Row>& rows, std::uint32_t users) {
    std::vector<std::set<std::uint32_t>> expected(users);
    for (const Row& row : rows) expected[row.user].insert(row.item);
    int passes = 0;
    for (std::uint32_t first = 0; first < users; first = lists.end()) {
        lists.restart(first);
        for (const Row& row : rows) lists.add(row.user, row.item);
        ++passes;
        EXPECT_GT(lists.end(), first);
        for (std::uint32_t user = first; user < std::min(users, lists.end()); ++user) {
            const std::vector<std::uint32_t> found = items_of(lists, user);
            EXPECT_TRUE(std::equal(found.begin(), found.end(), expected[user].begin(), expected[user].end())) << user;
        }
        EXPECT_TRUE(items_of(lists, first == 0 ? lists.end() : first - 1).empty()) << "outside the range";
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
    EXPECT_TRUE(items_of(lists, 5).empty());
}

TEST(ItemListsTest, GivesManyListsAtOnce) {
    for (const std::uint32_t items : {500u, 70000u}) {
        ItemLists lists(items, std::size_t{64} << 20);
        for (const Row& row : some_rows(300, items, 20000)) {
            lists.prefetch(row.user);
            lists.add(row.user, row.item);
        }
        std::vector<std::uint32_t> users;
        for (std::uint32_t user = 400; user-- > 0;) users.push_back(user);  // some have no list
        std::vector<std::vector<std::uint32_t>> found(users.size(), {7});
        lists.get(users, found);
        for (std::size_t i = 0; i < users.size(); ++i) {
            EXPECT_EQ(found[i][0], 7u) << "what is there stays";
            const std::set<std::uint32_t> distinct(found[i].begin() + 1, found[i].end());
            EXPECT_TRUE(std::ranges::equal(distinct, items_of(lists, users[i]))) << users[i];
        }
    }
}

}  // namespace
}  // namespace mf
