#include "core/data/interactions.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/random.hpp"

namespace mf {
namespace {

struct Row {
    std::int64_t user;
    std::int64_t item;
    float value;
    double time = 0;
};

Dataset build(const std::vector<Row>& rows, Duplicates rule, bool with_times = false, int threads = 1) {
    InteractionsBuilder builder(IdKind::Integer, IdKind::Integer, with_times);
    for (const Row& row : rows) {
        const std::uint32_t user = builder.users().intern(row.user);
        const std::uint32_t item = builder.items().intern(row.item);
        builder.add(user, item, row.value, row.time);
    }
    Environment environment;
    environment.threads = threads;
    return std::move(builder).finish(rule, environment);
}

/// The message of the InvalidData that building throws.
std::string refusal(const std::vector<Row>& rows, Duplicates rule, int threads = 1) {
    try {
        build(rows, rule, false, threads);
    } catch (const InvalidData& error) {
        return error.what();
    }
    return {};
}

using Entries = std::vector<std::tuple<std::int64_t, std::int64_t, float>>;

/// (user id, item id, value) in the order in which they are stored.
Entries entries_of(const Dataset& dataset) {
    Entries entries;
    for (std::uint32_t user = 0; user < dataset.by_user.rows(); ++user) {
        const auto items = dataset.by_user.row_columns(user);
        const auto values = dataset.by_user.row_values(user);
        for (std::size_t i = 0; i < items.size(); ++i) {
            entries.emplace_back(dataset.users.integer(user), dataset.items.integer(items[i]), values[i]);
        }
    }
    return entries;
}

/// The same matrix with the same bits.
void expect_equal(const Csr& a, const Csr& b) {
    EXPECT_EQ(a.column_count, b.column_count);
    EXPECT_TRUE(std::equal(a.offsets.begin(), a.offsets.end(), b.offsets.begin(), b.offsets.end()));
    EXPECT_TRUE(std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end()));
    EXPECT_TRUE(std::equal(a.values.begin(), a.values.end(), b.values.begin(), b.values.end(), [](float x, float y) {
        return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
    }));
}

void shuffle(std::vector<Row>& rows, std::uint64_t seed) {
    Random random(seed);
    for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.next() % i]);
}

/// Rows with many duplicates, negative ids and values whose sum depends on the order of summation.
std::vector<Row> random_rows(std::size_t count, std::int64_t users, std::int64_t items, std::uint64_t seed) {
    Random random(seed);
    std::vector<Row> rows(count);
    for (Row& row : rows) {
        const double skew = random.uniform();
        row.user = static_cast<std::int64_t>(skew * skew * static_cast<double>(users)) - users / 2;
        row.item = static_cast<std::int64_t>(random.uniform() * static_cast<double>(items)) - items / 2;
        row.value = static_cast<float>(random.normal() * std::exp(3 * random.normal()));
        row.time = static_cast<double>(random.next() % 3);
    }
    return rows;
}

TEST(InteractionsBuilder, SortsUsersItemsAndRows) {
    const Dataset dataset = build({{7, 30, 3}, {-5, 10, 1}, {7, 10, 2}, {-5, 20, 4}}, Duplicates::Error);
    EXPECT_EQ(entries_of(dataset), (Entries{{-5, 10, 1}, {-5, 20, 4}, {7, 10, 2}, {7, 30, 3}}));
    EXPECT_EQ(dataset.by_user.column_count, 3u);
    EXPECT_EQ(dataset.rows_read, 4u);
    EXPECT_EQ(dataset.users.find(7), 1u);
    EXPECT_EQ(dataset.items.find(30), 2u);
}

TEST(InteractionsBuilder, TextIdsWork) {
    InteractionsBuilder builder(IdKind::Text, IdKind::Text, false);
    const std::uint32_t zoe = builder.users().intern("zoe");
    const std::uint32_t adam = builder.users().intern("adam");
    const std::uint32_t tea = builder.items().intern("tea");
    builder.add(zoe, tea, 1);
    builder.add(adam, tea, 2);
    Environment environment;
    const Dataset dataset = std::move(builder).finish(Duplicates::Error, environment);
    EXPECT_EQ(dataset.users.text(0), "adam");
    EXPECT_EQ(dataset.by_user.row_values(0)[0], 2);
    EXPECT_EQ(dataset.by_user.row_values(1)[0], 1);
}

TEST(InteractionsBuilder, MergesByTheRule) {
    const std::vector<Row> rows{{1, 1, 4, 10}, {1, 2, 5, 5}, {1, 1, 1, 30}, {1, 1, 7, 20}, {2, 1, 3, 1}};
    EXPECT_EQ(entries_of(build(rows, Duplicates::Mean, true)), (Entries{{1, 1, 4}, {1, 2, 5}, {2, 1, 3}}));
    EXPECT_EQ(entries_of(build(rows, Duplicates::Sum, true)), (Entries{{1, 1, 12}, {1, 2, 5}, {2, 1, 3}}));
    EXPECT_EQ(entries_of(build(rows, Duplicates::Last, true)), (Entries{{1, 1, 1}, {1, 2, 5}, {2, 1, 3}}));
    const Dataset dataset = build(rows, Duplicates::Mean, true);
    EXPECT_EQ(dataset.rows_read, 5u);
    ASSERT_EQ(dataset.repeated.size(), 2u);
    EXPECT_EQ(dataset.repeated[0], 2u);
    EXPECT_EQ(dataset.repeated[1], 0u);
}

TEST(InteractionsBuilder, LastTakesTheGreatestOfEqualTimes) {
    constexpr double kForever = std::numeric_limits<double>::infinity();
    EXPECT_EQ(entries_of(build({{1, 1, 2, 9}, {1, 1, 3, 9}, {1, 1, -4, 9}, {1, 1, 8, 1}}, Duplicates::Last, true)),
              (Entries{{1, 1, 3}}));
    EXPECT_EQ(entries_of(build({{1, 1, 2, kForever}, {1, 1, 3, 9}, {1, 1, 4, -kForever}}, Duplicates::Last, true)),
              (Entries{{1, 1, 2}}));
    // Without times all are equal.
    EXPECT_EQ(entries_of(build({{1, 1, 2}, {1, 1, 3}, {1, 1, -4}}, Duplicates::Last)), (Entries{{1, 1, 3}}));
}

TEST(InteractionsBuilder, NegativeValuesKeepTheirOrderAndBits) {
    const float least = -std::numeric_limits<float>::max();
    const float tiny = std::numeric_limits<float>::denorm_min();
    const std::vector<Row> rows{{1, 1, least}, {1, 2, -tiny}, {1, 3, -0.0f}, {1, 4, 0.0f}, {1, 5, tiny}, {1, 6, -1.5f}};
    const Dataset dataset = build(rows, Duplicates::Error);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(std::bit_cast<std::uint32_t>(dataset.by_user.values[i]), std::bit_cast<std::uint32_t>(rows[i].value));
    }
    EXPECT_EQ(entries_of(build({{1, 1, -3}, {1, 1, -2}, {1, 1, -7}}, Duplicates::Last)), (Entries{{1, 1, -2}}));
}

TEST(InteractionsBuilder, SumsInDoublePrecision) {
    // In float, 2^24 + 1 + 1 is 2^24.
    EXPECT_EQ(entries_of(build({{1, 1, 0x1p24f}, {1, 1, 1}, {1, 1, 1}}, Duplicates::Sum)),
              (Entries{{1, 1, 0x1p24f + 2}}));
    // The sum leaves the range of float, the mean does not.
    const float greatest = std::numeric_limits<float>::max();
    EXPECT_EQ(entries_of(build({{1, 1, greatest}, {1, 1, greatest}}, Duplicates::Mean)), (Entries{{1, 1, greatest}}));
}

TEST(InteractionsBuilder, RefusesASumOutOfRange) {
    const float greatest = std::numeric_limits<float>::max();
    EXPECT_EQ(refusal({{5, 6, 1}, {42, -7, greatest}, {42, -7, greatest}}, Duplicates::Sum),
              "merged value of user \"42\" and item \"-7\" is out of range");
}

TEST(InteractionsBuilder, RefusesNothing) { EXPECT_EQ(refusal({}, Duplicates::Mean), "no interactions to train on"); }

TEST(InteractionsBuilder, RefusesDuplicatesByName) {
    try {
        build({{42, 7, 1}, {1, 1, 1}, {42, 7, 1}}, Duplicates::Error);
        FAIL();
    } catch (const InvalidData& error) {
        EXPECT_STREQ(error.what(), "duplicate interaction of user \"42\" and item \"7\"");
        EXPECT_NE(error.hint().find("\"duplicates\""), std::string::npos);
    }
}

TEST(InteractionsBuilder, NamesTheFirstPairForAnyThreadsAndOrder) {
    std::vector<Row> rows;
    for (std::int64_t user = 0; user < 3000; ++user) {
        for (std::int64_t item = 0; item < 5; ++item) rows.push_back({user, item, 1});
    }
    for (const auto& [user, item] : {std::pair{2999, 0}, {1234, 4}, {1234, 3}, {2000, 0}, {1235, 0}}) {
        rows.push_back({user, item, 1});
    }
    for (const int threads : {1, 2, 3, 7}) {
        shuffle(rows, static_cast<std::uint64_t>(threads));
        EXPECT_EQ(refusal(rows, Duplicates::Error, threads), "duplicate interaction of user \"1234\" and item \"3\"");
    }
}

TEST(InteractionsBuilder, RefusesWhatIsNotANumber) {
    InteractionsBuilder builder(IdKind::Integer, IdKind::Integer, true);
    const std::uint32_t user = builder.users().intern(1);
    const std::uint32_t item = builder.items().intern(1);
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THROW(builder.add(user, item, static_cast<float>(kNaN)), InvalidData);
    EXPECT_THROW(builder.add(user, item, std::numeric_limits<float>::infinity()), InvalidData);
    EXPECT_THROW(builder.add(user, item, 1, kNaN), InvalidData);
    EXPECT_EQ(builder.rows(), 0u);
}

TEST(InteractionsBuilder, AddsBatchesLikeSingleRows) {
    const std::vector<Row> rows = random_rows(30000, 200, 50, 9);
    for (const bool with_times : {false, true}) {
        InteractionsBuilder builder(IdKind::Integer, IdKind::Integer, with_times);
        std::vector<std::uint32_t> users, items;
        std::vector<float> values;
        std::vector<double> times;
        for (const Row& row : rows) {
            users.push_back(builder.users().intern(row.user));
            items.push_back(builder.items().intern(row.item));
            values.push_back(row.value);
            times.push_back(row.time);
        }
        // More than one chunk at once, and nothing.
        for (std::size_t begin = 0, size = 0; begin < rows.size(); begin += size, size = 3 * size + 1) {
            size = std::min(size, rows.size() - begin);
            builder.add(size, &users[begin], &items[begin], &values[begin], &times[begin]);
        }
        values[1] = std::numeric_limits<float>::infinity();
        EXPECT_THROW(builder.add(2, users.data(), items.data(), values.data(), times.data()), InvalidData);
        EXPECT_EQ(builder.rows(), rows.size());
        Environment environment;
        expect_equal(std::move(builder).finish(Duplicates::Last, environment).by_user,
                     build(rows, Duplicates::Last, with_times).by_user);
    }
}

TEST(InteractionsBuilder, RefusesIdsWithoutRows) {
    for (const bool user_is_spare : {true, false}) {
        InteractionsBuilder builder(IdKind::Integer, IdKind::Integer, false);
        builder.add(builder.users().intern(1), builder.items().intern(1), 1);
        (user_is_spare ? builder.users() : builder.items()).intern(2);
        Environment environment;
        EXPECT_THROW(std::move(builder).finish(Duplicates::Mean, environment), std::logic_error);
    }
}

TEST(InteractionsBuilder, AgreesWithAMapOfCells) {
    for (const Duplicates rule : {Duplicates::Mean, Duplicates::Sum, Duplicates::Last}) {
        const std::vector<Row> rows = random_rows(20000, 500, 60, 1);
        std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::pair<double, float>>> cells;
        for (const Row& row : rows) cells[{row.user, row.item}].emplace_back(row.time, row.value);
        Entries expected;
        for (auto& [pair, values] : cells) {
            std::sort(values.begin(), values.end());
            double merged = 0;
            for (const auto& [time, value] : values) merged += value;
            if (rule == Duplicates::Mean) merged /= static_cast<double>(values.size());
            if (rule == Duplicates::Last) merged = values.back().second;
            expected.emplace_back(pair.first, pair.second, static_cast<float>(merged));
        }
        ASSERT_LT(expected.size(), rows.size());
        EXPECT_EQ(entries_of(build(rows, rule, true, 2)), expected);
    }
}

TEST(InteractionsBuilder, ShapesOfEveryKindAgreeWithASort) {
    // Users × items: one of either, more users than one block, few rows for many ids, ids at powers of two.
    const std::tuple<std::size_t, std::int64_t, std::int64_t> shapes[] = {
        {5000, 1, 3000},     {5000, 3000, 1},      {1, 1, 1},
        {300, 1, 1},         {150000, 50000, 4},   {150000, 20000, 3000},
        {150000, 4, 200000}, {100000, 256, 65537}, {20000, 40000, 40000}};
    for (const auto& [count, users, items] : shapes) {
        std::vector<Row> rows = random_rows(count, users, items, count);
        for (const bool with_times : {false, true}) {
            const Dataset dataset = build(rows, Duplicates::Last, with_times, 2);
            if (!with_times) {
                for (Row& row : rows) row.time = 0;
            }
            std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
                return std::tie(a.user, a.item, a.time, a.value) < std::tie(b.user, b.item, b.time, b.value);
            });
            Entries expected;
            for (std::size_t i = 0; i < rows.size(); ++i) {
                const bool last =
                    i + 1 == rows.size() || rows[i].user != rows[i + 1].user || rows[i].item != rows[i + 1].item;
                if (last) expected.emplace_back(rows[i].user, rows[i].item, rows[i].value);
            }
            ASSERT_EQ(entries_of(dataset), expected) << count << " rows, " << users << " × " << items;
            rows = random_rows(count, users, items, count);
        }
    }
}

TEST(InteractionsBuilder, CanBeInterruptedAnywhere) {
    const std::vector<Row> rows = random_rows(100000, 3000, 500, 7);
    const Dataset expected = build(rows, Duplicates::Sum);
    // A cancel at every look at the interrupt in turn; before it, interrupts that turn out to be none.
    for (int allowed = 0;; ++allowed) {
        InteractionsBuilder builder(IdKind::Integer, IdKind::Integer, false);
        for (const Row& row : rows) {
            const std::uint32_t user = builder.users().intern(row.user);
            builder.add(user, builder.items().intern(row.item), row.value);
        }
        Environment environment;
        environment.threads = 2;
        int polls = 0;
        environment.interrupted = [&] { return ++polls > 0; };
        environment.checkpoint = [&] {
            if (polls > allowed) throw std::runtime_error("cancel");
        };
        try {
            const Dataset dataset = std::move(builder).finish(Duplicates::Sum, environment);
            expect_equal(dataset.by_user, expected.by_user);
        } catch (const std::runtime_error&) {
            continue;
        }
        EXPECT_GT(allowed, 10);
        break;
    }
}

TEST(InteractionsBuilder, DoesNotDependOnOrderOrThreads) {
    // More rows than one chunk, more users than one block.
    std::vector<Row> rows = random_rows(50000, 3000, 40, 2);
    for (const bool with_times : {false, true}) {
        const Dataset expected = build(rows, Duplicates::Sum, with_times);
        for (const int threads : {1, 2, 3, 7}) {
            shuffle(rows, static_cast<std::uint64_t>(threads));
            const Dataset dataset = build(rows, Duplicates::Sum, with_times, threads);
            expect_equal(dataset.by_user, expected.by_user);
            ASSERT_EQ(dataset.users.size(), expected.users.size());
            for (std::uint32_t i = 0; i < expected.users.size(); ++i) {
                ASSERT_EQ(dataset.users.integer(i), expected.users.integer(i));
            }
        }
    }
}

TEST(InteractionsBuilder, KeepsEveryRowAtTheEdgesOfChunks) {
    for (const std::size_t count : {1u, 4095u, 4096u, 4097u, 3u * 4096, 3u * 4096 + 1}) {
        std::vector<Row> rows;
        for (std::size_t i = 0; i < count; ++i) {
            rows.push_back({static_cast<std::int64_t>(i % 7), static_cast<std::int64_t>(i), static_cast<float>(i)});
        }
        const Dataset dataset = build(rows, Duplicates::Error, false, 2);
        EXPECT_EQ(dataset.by_user.entries(), count);
        EXPECT_EQ(dataset.rows_read, count);
        double sum = 0;
        for (const float value : dataset.by_user.values) sum += value;
        EXPECT_EQ(sum, static_cast<double>(count) * static_cast<double>(count - 1) / 2);
    }
}

TEST(InteractionsBuilder, MemoryCountsChunks) {
    InteractionsBuilder plain(IdKind::Integer, IdKind::Integer, false);
    InteractionsBuilder timed(IdKind::Integer, IdKind::Integer, true);
    for (InteractionsBuilder* builder : {&plain, &timed}) {
        const std::uint32_t user = builder->users().intern(1);
        const std::uint32_t item = builder->items().intern(1);
        for (int i = 0; i < 100000; ++i) builder->add(user, item, 1);
    }
    EXPECT_GE(plain.memory(), 12u * 100000);
    EXPECT_LE(plain.memory(), 2 * 12u * 100000);
    EXPECT_NEAR(static_cast<double>(timed.memory()) / static_cast<double>(plain.memory()), 20.0 / 12, 0.01);
}

TEST(InteractionsBuilder, CanBeCancelledWhileItFinishes) {
    InteractionsBuilder builder(IdKind::Integer, IdKind::Integer, false);
    for (int i = 0; i < 20000; ++i) builder.add(builder.users().intern(i), builder.items().intern(i % 10), 1);
    Environment environment;
    environment.threads = 2;
    environment.interrupted = [] { return true; };
    environment.checkpoint = [] { throw std::runtime_error("cancel"); };
    EXPECT_THROW(std::move(builder).finish(Duplicates::Mean, environment), std::runtime_error);
}

TEST(Transpose, SmallCase) {
    const Dataset dataset = build({{0, 0, 1}, {0, 2, 2}, {1, 2, 3}, {2, 0, 4}, {2, 1, 5}}, Duplicates::Error);
    const Csr by_item = transpose(dataset.by_user);
    const std::vector<std::uint64_t> offsets{0, 2, 3, 5};
    const std::vector<std::uint32_t> columns{0, 2, 2, 0, 1};
    const std::vector<float> values{1, 4, 5, 2, 3};
    EXPECT_TRUE(std::equal(offsets.begin(), offsets.end(), by_item.offsets.begin(), by_item.offsets.end()));
    EXPECT_TRUE(std::equal(columns.begin(), columns.end(), by_item.columns.begin(), by_item.columns.end()));
    EXPECT_TRUE(std::equal(values.begin(), values.end(), by_item.values.begin(), by_item.values.end()));
    EXPECT_EQ(by_item.column_count, 3u);
}

TEST(Transpose, TwiceIsTheSame) {
    const Dataset dataset = build(random_rows(5000, 100, 300, 3), Duplicates::Mean);
    const Csr by_item = transpose(dataset.by_user);
    EXPECT_EQ(by_item.rows(), dataset.items.size());
    for (std::uint32_t item = 0; item < by_item.rows(); ++item) {
        const auto users = by_item.row_columns(item);
        ASSERT_TRUE(std::is_sorted(users.begin(), users.end()));
    }
    expect_equal(transpose(by_item), dataset.by_user);
}

TEST(Transpose, DoesNotDependOnThreadsAndCanBeInterrupted) {
    // More entries than one piece of a stripe; the long rows lie at one end.
    const Dataset dataset = build(random_rows(2500000, 2000, 3000, 4), Duplicates::Last, false, 2);
    ASSERT_GT(dataset.by_user.entries(), std::uint64_t{1} << 20);
    const Csr expected = transpose(dataset.by_user);
    for (const int threads : {1, 2, 3, 7}) {
        Environment environment;
        environment.threads = threads;
        int polls = 0, checkpoints = 0;
        environment.interrupted = [&] { return ++polls > 1 && checkpoints == 0; };
        environment.checkpoint = [&] { ++checkpoints; };
        expect_equal(transpose(dataset.by_user, environment), expected);
        EXPECT_EQ(checkpoints, 1);
        environment.interrupted = [] { return true; };
        environment.checkpoint = [] { throw std::runtime_error("cancel"); };
        EXPECT_THROW(transpose(dataset.by_user, environment), std::runtime_error);
    }
}

TEST(Transpose, EmptyMatricesAndRows) {
    const Csr nothing = transpose(Csr{});
    EXPECT_EQ(nothing.rows(), 0u);
    EXPECT_EQ(nothing.entries(), 0u);

    Csr wide;  // one empty row, three columns
    wide.offsets = Array<std::uint64_t>(2, 0);
    wide.column_count = 3;
    const Csr tall = transpose(wide);
    EXPECT_EQ(tall.rows(), 3u);
    EXPECT_EQ(tall.column_count, 1u);
    for (std::uint32_t row = 0; row < 3; ++row) EXPECT_EQ(tall.row_size(row), 0u);
    expect_equal(transpose(tall), wide);
}

}  // namespace
}  // namespace mf
