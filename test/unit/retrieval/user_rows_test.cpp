#include "core/retrieval/user_rows.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace mf {
namespace {

struct GivenRow {
    std::int64_t user, item;
    float value;
};

/// Ids from a million on, negative ones and small ones are found in different ways.
std::int64_t user_id(std::uint32_t number) {
    switch (number % 3) {
        case 0:
            return std::int64_t{1} << 40 | number;
        case 1:
            return -std::int64_t{number};
        default:
            return number;
    }
}

/// Of 500 items the model knows those with an even number.
std::vector<GivenRow> some_rows(std::uint32_t users, std::size_t count) {
    std::mt19937 random(5);
    std::vector<GivenRow> rows(count);
    for (GivenRow& row : rows)
        row = {user_id(static_cast<std::uint32_t>(random() % users)), static_cast<std::int64_t>(random() % 500) * 3000,
               static_cast<float>(random() % 10) / 2};
    return rows;
}

IdTable even_items(IdKind kind) {
    IdTable items(kind);
    for (std::int64_t item = 0; item < 500; item += 2)
        if (kind == IdKind::Integer)
            items.intern(item * 3000);
        else
            items.intern(id_text(item * 3000));
    return items;
}

void append(IdColumn& column, IdKind kind, std::int64_t id) {
    if (kind == IdKind::Integer) return column.append(std::span<const std::int64_t>(&id, 1));
    const std::string text = id_text(id);
    const std::string_view view = text;
    column.append(std::span<const std::string_view>(&view, 1));
}

void add_all(UserRows& rows, IdKind kind, std::span<const GivenRow> given, std::size_t a_chunk) {
    RowChunk chunk(kind, kind);
    for (const GivenRow& row : given) {
        append(chunk.users, kind, row.user);
        append(chunk.items, kind, row.item);
        chunk.values.push_back(row.value);
        if (chunk.size() < a_chunk) continue;
        rows.add(chunk);
        chunk.clear();
    }
    rows.add(chunk);
    rows.finish();
}

struct Expected {
    HistoryDigest digest;
    std::set<std::uint32_t> items;
};

/// What add_all() should lead to, row by row.
std::map<std::int64_t, Expected> expected_of(std::span<const GivenRow> given, const IdTable& items) {
    std::map<std::int64_t, Expected> users;
    for (const GivenRow& row : given) {
        users[row.user].digest.add(id_hash(id_text(row.item)), row.value);
        const auto item = items.kind() == IdKind::Integer ? items.find(row.item) : items.find(id_text(row.item));
        if (item) users[row.user].items.insert(*item);
    }
    return users;
}

std::uint32_t number_of(const UserRows& rows, std::int64_t id) {
    const auto found = rows.users().kind() == IdKind::Integer ? rows.users().find(id) : rows.users().find(id_text(id));
    return found.value_or(Ids::kUnknown);
}

std::set<std::uint32_t> seen_by(const UserRows& rows, std::uint32_t user) {
    std::vector<std::vector<std::uint32_t>> found(1);
    rows.seen().get(std::span(&user, 1), found);
    return {found[0].begin(), found[0].end()};
}

class UserRowsTest : public testing::TestWithParam<IdKind> {};

TEST_P(UserRowsTest, AreWhatEachRowAdds) {
    const IdTable items = even_items(GetParam());
    // More rows than are sorted at a time; in the end in the order of users.
    std::vector<GivenRow> given = some_rows(3000, (std::size_t{1} << 19) + 70007);
    const std::map<std::int64_t, Expected> expected = expected_of(given, items);
    for (const bool in_order : {false, true}) {
        if (in_order) std::ranges::stable_sort(given, {}, &GivenRow::user);
        UserRows rows(GetParam(), items, true, std::size_t{64} << 20);
        add_all(rows, GetParam(), given, 10007);
        ASSERT_EQ(rows.users().size(), expected.size());
        for (const auto& [id, user] : expected) {
            ASSERT_NE(number_of(rows, id), Ids::kUnknown);
            EXPECT_EQ(rows.digest(number_of(rows, id)), user.digest.value());
            EXPECT_EQ(seen_by(rows, number_of(rows, id)), user.items);
        }
        EXPECT_GT(rows.memory(), given.size());
    }
}

TEST_P(UserRowsTest, NumberUsersByTheirFirstRows) {
    const IdTable items = even_items(GetParam());
    const std::vector<GivenRow> given = some_rows(1000, 5000);
    UserRows rows(GetParam(), items, false, 1000);
    add_all(rows, GetParam(), given, 300);
    std::uint32_t users = 0;
    for (const GivenRow& row : given) {
        const std::uint32_t number = number_of(rows, row.user);
        ASSERT_LE(number, users);
        users = std::max(users, number + 1);
        EXPECT_TRUE(seen_by(rows, number).empty()) << "lists were not wanted";
    }
}

TEST_P(UserRowsTest, FindUsersWhoseIdsAreAllSmall) {
    const IdTable items = even_items(GetParam());
    std::vector<GivenRow> given;
    for (std::int64_t user = 0; user < 100; ++user)
        for (std::int64_t item = 0; item < 4; ++item) given.push_back({user * 7000, item * 6000, 1});
    UserRows rows(GetParam(), items, true, std::size_t{1} << 20);
    add_all(rows, GetParam(), std::span(given).first(200), 1000);
    ASSERT_EQ(rows.users().size(), 50u);
    rows.read_again();
    add_all(rows, GetParam(), given, 1000);
    ASSERT_EQ(rows.users().size(), 50u) << "users that appear later are left out";
    for (std::uint32_t user = 0; user < 50; ++user) EXPECT_EQ(number_of(rows, user * 7000), user);
}

TEST_P(UserRowsTest, TakeMorePassesWhereMemoryDoesNotSuffice) {
    const IdTable items = even_items(GetParam());
    const std::vector<GivenRow> given = some_rows(500, 30000);
    const std::map<std::int64_t, Expected> expected = expected_of(given, items);
    UserRows rows(GetParam(), items, true, 16000);
    std::set<std::uint32_t> complete;
    int passes = 0;
    for (bool first = true; first || rows.seen().end() < rows.users().size(); first = false, ++passes) {
        if (!first) rows.read_again();
        add_all(rows, GetParam(), given, 4000);
        for (const auto& [id, user] : expected) {
            const std::uint32_t number = number_of(rows, id);
            EXPECT_EQ(rows.digest(number), user.digest.value()) << "digests stay";
            if (number < rows.seen().first() || number >= rows.seen().end()) continue;
            EXPECT_EQ(seen_by(rows, number), user.items);
            EXPECT_TRUE(complete.insert(number).second);
        }
        // A user who appears later is left out.
        const GivenRow late{77777777, 0, 1};
        if (!first) add_all(rows, GetParam(), std::span(&late, 1), 1);
        EXPECT_EQ(rows.users().size(), expected.size());
    }
    EXPECT_EQ(complete.size(), expected.size());
    EXPECT_GT(passes, 2);
}

INSTANTIATE_TEST_SUITE_P(Kinds, UserRowsTest, testing::Values(IdKind::Integer, IdKind::Text));

TEST(RowChunkTest, IsFullAfterManyRowsOrLongIds) {
    RowChunk rows(IdKind::Integer, IdKind::Integer);
    EXPECT_FALSE(rows.is_full());
    rows.values.resize(std::size_t{1} << 16);
    EXPECT_TRUE(rows.is_full());
    RowChunk texts(IdKind::Text, IdKind::Text);
    const std::string text(std::size_t{4} << 20, 'x');
    const std::string_view id = text;
    texts.users.append(std::span(&id, 1));
    EXPECT_TRUE(texts.is_full());
    texts.clear();
    EXPECT_FALSE(texts.is_full());
}

}  // namespace
}  // namespace mf
