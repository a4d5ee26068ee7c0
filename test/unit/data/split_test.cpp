#include "core/data/split.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"

namespace mf {
namespace {

/// User u has u + 1 of the items, every fourth id a jump; the value of a cell is user · 1000 + item.
Dataset staircase(std::int64_t users, IdKind kind = IdKind::Integer, bool backwards = false) {
    InteractionsBuilder builder(kind, kind, false);
    const auto intern = [&](IdTable& table, std::int64_t id) {
        return kind == IdKind::Integer ? table.intern(id) : table.intern(std::to_string(id));
    };
    const auto add_user = [&](std::int64_t u) {
        for (std::int64_t i = 0; i <= u; ++i) {
            const std::int64_t item = i + 4 * (i / 4);
            const std::uint32_t user = intern(builder.users(), u);
            builder.add(user, intern(builder.items(), item), static_cast<float>(u * 1000 + item));
        }
    };
    for (std::int64_t u = 0; u < users; ++u) add_user(backwards ? users - 1 - u : u);
    Environment environment;
    return std::move(builder).finish(Duplicates::Error, environment);
}

HoldOut split(const Dataset& dataset, double fraction, std::uint64_t seed, int threads = 1) {
    Environment environment;
    environment.threads = threads;
    return hold_out(dataset.by_user, id_hashes(dataset, environment), fraction, seed, environment);
}

/// (user text, item text, value) of all entries, ascending.
std::vector<std::tuple<std::string, std::string, float>> entries_of(const Dataset& dataset, const Csr& part) {
    std::vector<std::tuple<std::string, std::string, float>> entries;
    for (std::uint32_t user = 0; user < part.rows(); ++user) {
        for (std::size_t i = 0; i < part.row_columns(user).size(); ++i) {
            entries.emplace_back(dataset.users.text(user), dataset.items.text(part.row_columns(user)[i]),
                                 part.row_values(user)[i]);
        }
    }
    std::sort(entries.begin(), entries.end());
    return entries;
}

TEST(FoldOf, IsTheCellHashModuloFolds) {
    // From a second implementation of the formula, in another language.
    const std::uint32_t expected[] = {0, 0, 0, 3, 4, 2, 3, 4, 2, 0};
    for (int item = 0; item < 10; ++item) {
        EXPECT_EQ(fold_of(id_hash("42"), id_hash(std::to_string(item)), 5, 1), expected[item]);
    }
    EXPECT_EQ(fold_of(id_hash("42"), id_hash("7"), 1, 1), 0u);
    EXPECT_LT(fold_of(id_hash("42"), id_hash("7"), std::numeric_limits<std::uint32_t>::max(), 1),
              std::numeric_limits<std::uint32_t>::max());
}

TEST(FoldOf, RefusesNoFolds) { EXPECT_THROW(fold_of(1, 2, 0, 1), InvalidArgument); }

TEST(HoldOut, SizesAreRoundedAndOneStays) {
    const Dataset dataset = staircase(40);
    for (const double fraction : {0.0, 0.1, 0.25, 0.5, 0.9, 0.999}) {
        const HoldOut parts = split(dataset, fraction, 1);
        ASSERT_EQ(parts.test.rows(), 40u);
        ASSERT_EQ(parts.train.rows(), 40u);
        EXPECT_EQ(parts.test.column_count, dataset.by_user.column_count);
        EXPECT_EQ(parts.train.column_count, dataset.by_user.column_count);
        for (std::uint32_t user = 0; user < 40; ++user) {
            const std::uint64_t n = user + 1;
            const auto wanted = static_cast<std::uint64_t>(fraction * static_cast<double>(n) + 0.5);
            EXPECT_EQ(parts.test.row_size(user), std::min(wanted, n - 1)) << n << " · " << fraction;
            EXPECT_EQ(parts.train.row_size(user), n - parts.test.row_size(user));
        }
    }
    const HoldOut parts = split(dataset, 0.5, 1);
    EXPECT_EQ(parts.test.row_size(0), 0u);  // 1 row: rounds to 1, but it stays
    EXPECT_EQ(parts.test.row_size(1), 1u);  // 2 rows
    EXPECT_EQ(parts.test.row_size(2), 2u);  // 3 rows: 1.5 rounds up
}

TEST(HoldOut, PartsMakeTheWholeAndStayAscending) {
    const Dataset dataset = staircase(40);
    const HoldOut parts = split(dataset, 0.3, 5);
    auto both = entries_of(dataset, parts.train);
    const auto test = entries_of(dataset, parts.test);
    both.insert(both.end(), test.begin(), test.end());
    std::sort(both.begin(), both.end());
    EXPECT_EQ(both, entries_of(dataset, dataset.by_user));
    for (std::uint32_t user = 0; user < 40; ++user) {
        for (const Csr* part : {&parts.train, &parts.test}) {
            const auto items = part->row_columns(user);
            EXPECT_EQ(std::adjacent_find(items.begin(), items.end(), std::greater_equal<>()), items.end());
        }
    }
}

TEST(HoldOut, TakesTheSmallestCellHashes) {
    const Dataset dataset = staircase(40);
    const std::uint64_t seed = 3;
    const HoldOut parts = split(dataset, 0.4, seed);
    for (std::uint32_t user = 0; user < 40; ++user) {
        const auto hash = [&](std::uint32_t item) {
            return cell_hash(id_hash(dataset.users.text(user)), id_hash(dataset.items.text(item)), seed);
        };
        std::vector<std::pair<std::uint64_t, std::uint32_t>> all;
        for (const std::uint32_t item : dataset.by_user.row_columns(user)) all.emplace_back(hash(item), item);
        std::sort(all.begin(), all.end());
        std::vector<std::uint32_t> expected;
        for (std::size_t i = 0; i < parts.test.row_size(user); ++i) expected.push_back(all[i].second);
        std::sort(expected.begin(), expected.end());
        const auto held = parts.test.row_columns(user);
        EXPECT_EQ(std::vector<std::uint32_t>(held.begin(), held.end()), expected);
    }
}

TEST(HoldOut, DependsOnTheTextOfIdsNotOnTheirKindOrOrder) {
    const Dataset integers = staircase(30);
    const Dataset backwards = staircase(30, IdKind::Integer, true);
    const Dataset texts = staircase(30, IdKind::Text);  // sorted otherwise: "10" before "9"
    const auto expected = entries_of(integers, split(integers, 0.3, 1).test);
    EXPECT_EQ(entries_of(backwards, split(backwards, 0.3, 1).test), expected);
    EXPECT_EQ(entries_of(texts, split(texts, 0.3, 1).test), expected);
}

TEST(HoldOut, SeedsDiffer) {
    const Dataset dataset = staircase(30);
    EXPECT_NE(entries_of(dataset, split(dataset, 0.3, 1).test), entries_of(dataset, split(dataset, 0.3, 2).test));
}

TEST(HoldOut, DoesNotDependOnThreadsAndCanBeCancelled) {
    const Dataset dataset = staircase(600);  // more than one block of users
    const auto expected = entries_of(dataset, split(dataset, 0.3, 1).test);
    for (const int threads : {2, 3, 7}) EXPECT_EQ(entries_of(dataset, split(dataset, 0.3, 1, threads).test), expected);
    Environment environment;
    const IdHashes hashes = id_hashes(dataset, environment);
    int polls = 0;
    environment.interrupted = [&] { return ++polls > 1; };
    environment.checkpoint = [] { throw std::runtime_error("cancel"); };
    EXPECT_THROW(hold_out(dataset.by_user, hashes, 0.3, 1, environment), std::runtime_error);
}

TEST(HoldOut, RefusesFractionsOutsideTheRange) {
    const Dataset dataset = staircase(3);
    for (const double fraction : {-0.1, 1.0, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_THROW(split(dataset, fraction, 1), InvalidArgument) << fraction;
    }
}

TEST(HoldOutFold, HoldsOutTheCellsOfTheFold) {
    const Dataset dataset = staircase(300);
    Environment environment;
    const IdHashes hashes = id_hashes(dataset, environment);
    std::vector<std::tuple<std::string, std::string, float>> all_tests;
    for (std::uint32_t fold = 0; fold < 4; ++fold) {
        const HoldOut parts = hold_out_fold(dataset.by_user, hashes, fold, 4, 7, environment);
        ASSERT_EQ(parts.train.rows(), 300u);
        ASSERT_EQ(parts.test.column_count, dataset.by_user.column_count);
        EXPECT_EQ(parts.train.entries() + parts.test.entries(), dataset.by_user.entries());
        const auto tests = entries_of(dataset, parts.test);
        for (const auto& [user, item, value] : tests) ASSERT_EQ(fold_of(id_hash(user), id_hash(item), 4, 7), fold);
        for (const auto& [user, item, value] : entries_of(dataset, parts.train))
            ASSERT_NE(fold_of(id_hash(user), id_hash(item), 4, 7), fold);
        all_tests.insert(all_tests.end(), tests.begin(), tests.end());
    }
    std::sort(all_tests.begin(), all_tests.end());
    EXPECT_EQ(all_tests, entries_of(dataset, dataset.by_user));
}

TEST(HoldOutFold, DoesNotDependOnThreadsAndStaysAscending) {
    const Dataset dataset = staircase(600);
    Environment environment;
    const IdHashes hashes = id_hashes(dataset, environment);
    const auto expected = entries_of(dataset, hold_out_fold(dataset.by_user, hashes, 2, 3, 1, environment).train);
    for (const int threads : {2, 7}) {
        environment.threads = threads;
        const HoldOut parts = hold_out_fold(dataset.by_user, hashes, 2, 3, 1, environment);
        EXPECT_EQ(entries_of(dataset, parts.train), expected);
        for (std::uint32_t user = 0; user < parts.train.rows(); ++user)
            ASSERT_TRUE(std::ranges::is_sorted(parts.train.row_columns(user)));
    }
}

}  // namespace
}  // namespace mf
