#include "core/data/ids.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/random.hpp"

namespace mf {
namespace {

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max();

TEST(IdTable, IndicesAreGivenInOrderOfArrival) {
    IdTable table(IdKind::Integer);
    EXPECT_EQ(table.intern(42), 0u);
    EXPECT_EQ(table.intern(-7), 1u);
    EXPECT_EQ(table.intern(42), 0u);
    EXPECT_EQ(table.size(), 2u);
    EXPECT_EQ(table.integer(1), -7);
    EXPECT_EQ(table.text(1), "-7");
}

TEST(IdTable, FindsWhatWasInternedAndNothingElse) {
    IdTable table(IdKind::Text);
    EXPECT_EQ(table.find("a"), std::nullopt);
    table.intern("a");
    table.intern("");
    EXPECT_EQ(table.find("a"), 0u);
    EXPECT_EQ(table.find(""), 1u);
    EXPECT_EQ(table.find("b"), std::nullopt);
    EXPECT_EQ(table.find(std::string_view("a\0", 2)), std::nullopt);
    EXPECT_EQ(table.size(), 2u);
}

TEST(IdTable, TakesIdsOfOtherTables) {
    IdTable texts(IdKind::Text), numbers(IdKind::Integer);
    texts.intern("a"), texts.intern("b");
    numbers.intern(7), numbers.intern(8);
    IdTable more_texts(IdKind::Text), more_numbers(IdKind::Integer);
    EXPECT_EQ(more_texts.intern(texts, 1), 0u);
    EXPECT_EQ(more_numbers.intern(numbers, 1), 0u);
    EXPECT_EQ(texts.find(more_texts, 0), 1u);
    EXPECT_EQ(numbers.find(more_numbers, 0), 1u);
    EXPECT_EQ(more_texts.find(texts, 0), std::nullopt);
    EXPECT_EQ(more_numbers.find(numbers, 0), std::nullopt);
}

TEST(IdTable, IntegersSortByValue) {
    IdTable table(IdKind::Integer);
    for (const std::int64_t id :
         {std::int64_t{10}, kGreatest, std::int64_t{-1}, std::int64_t{9}, kLeast, std::int64_t{0}}) {
        table.intern(id);
    }
    EXPECT_EQ(table.sort(), (std::vector<std::uint32_t>{4, 5, 1, 3, 0, 2}));
    const std::vector<std::int64_t> sorted{kLeast, -1, 0, 9, 10, kGreatest};
    for (std::uint32_t i = 0; i < 6; ++i) EXPECT_EQ(table.integer(i), sorted[i]);
}

TEST(IdTable, TextsSortAsUnsignedBytesShorterFirst) {
    const std::vector<std::string> sorted{"",
                                          std::string("\0", 1),
                                          "10",
                                          "9",
                                          "B",
                                          "a",
                                          std::string("a\0", 2),
                                          "aa",
                                          "abcdefgh",
                                          std::string("abcdefgh\0", 9),
                                          "abcdefgh1",
                                          "abcdefgh10",
                                          "abcdefgh2",
                                          "abcdefgi",
                                          "z",
                                          "\x7f",
                                          "\x80",
                                          "\xff",
                                          "\xff\xff"};
    std::vector<std::uint32_t> order(sorted.size());
    std::iota(order.begin(), order.end(), 0);
    Random random(1);
    for (int round = 0; round < 20; ++round) {
        for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.next() % i]);
        IdTable table(IdKind::Text);
        for (const std::uint32_t i : order) table.intern(sorted[i]);
        EXPECT_EQ(table.sort(), order);  // the rank of the id that came i-th
        for (std::uint32_t i = 0; i < table.size(); ++i) EXPECT_EQ(table.bytes(i), sorted[i]);
    }
}

TEST(IdTable, UuidsSortByBytesAndHaveATextForm) {
    std::string low, high;
    ASSERT_TRUE(parse_uuid_id("00112233-4455-6677-8899-AABBCCDDEEFF", &low));
    ASSERT_TRUE(parse_uuid_id("f0112233-4455-6677-8899-aabbccddeeff", &high));
    IdTable table(IdKind::Uuid);
    table.intern(high);
    table.intern(low);
    EXPECT_EQ(table.sort(), (std::vector<std::uint32_t>{1, 0}));
    EXPECT_EQ(table.text(0), "00112233-4455-6677-8899-aabbccddeeff");
    EXPECT_EQ(table.bytes(1), high);
    EXPECT_EQ(table.find(high), 1u);
    EXPECT_EQ(table.hash(0), id_hash("00112233-4455-6677-8899-aabbccddeeff"));
}

TEST(IdTable, HashIsThatOfTheTextForm) {
    IdTable integers(IdKind::Integer);
    IdTable texts(IdKind::Text);
    for (const std::int64_t id : {std::int64_t{42}, std::int64_t{-7}, kLeast, kGreatest}) {
        const std::uint32_t index = integers.intern(id);
        texts.intern(std::to_string(id));
        EXPECT_EQ(integers.text(index), std::to_string(id));
        EXPECT_EQ(integers.hash(index), id_hash(std::to_string(id)));
        EXPECT_EQ(integers.hash(index), texts.hash(index));
    }
}

TEST(IdTable, ManyIntegersSurviveGrowthAndSorting) {
    // Multiples of a large power of two: a hash that kept low bits would put all of them into one chain.
    constexpr std::uint32_t kIds = 100000;
    IdTable table(IdKind::Integer);
    for (std::uint32_t i = 0; i < kIds; ++i) {
        ASSERT_EQ(table.intern(static_cast<std::int64_t>(kIds - i) << 40), i);
    }
    ASSERT_EQ(table.size(), kIds);
    const std::vector<std::uint32_t> rank = table.sort();
    for (std::uint32_t i = 0; i < kIds; ++i) {
        ASSERT_EQ(rank[i], kIds - 1 - i);
        ASSERT_EQ(table.find(static_cast<std::int64_t>(kIds - i) << 40), rank[i]);
        ASSERT_EQ(table.find((static_cast<std::int64_t>(i) << 40) + 1), std::nullopt);
    }
}

TEST(IdTable, ManyTextsSurviveGrowthAndSorting) {
    Random random(2);
    std::set<std::string> expected;
    IdTable table(IdKind::Text);
    std::vector<std::string> arrived;
    while (arrived.size() < 20000) {
        // Long common prefixes, lengths around the 8 bytes that are compared and hashed at a time.
        std::string id("common prefix", random.next() % 14);
        for (std::uint64_t n = random.next() % 9; n > 0; --n) id.push_back(static_cast<char>(random.next() % 5));
        const bool is_new = expected.insert(id).second;
        const std::uint32_t before = table.size();
        const std::uint32_t index = table.intern(id);
        ASSERT_EQ(table.size(), before + (is_new ? 1 : 0));
        if (is_new) {
            ASSERT_EQ(index, before);
            arrived.push_back(id);
        }
        ASSERT_EQ(arrived[index], id);
    }
    const std::vector<std::uint32_t> rank = table.sort();
    std::uint32_t next = 0;
    for (const std::string& id : expected) {
        ASSERT_EQ(table.bytes(next), id);
        ASSERT_EQ(table.find(id), next);
        ++next;
    }
    for (std::uint32_t i = 0; i < arrived.size(); ++i) ASSERT_EQ(table.bytes(rank[i]), arrived[i]);
}

/// Interned in batches of very different sizes, the ids get the indices that they get one by one.
template <class Id>
void expect_batches_agree(IdKind kind, const std::vector<Id>& ids) {
    IdTable single(kind);
    IdTable batched(kind);
    std::vector<std::uint32_t> expected;
    for (const Id& id : ids) expected.push_back(single.intern(id));
    std::vector<std::uint32_t> indices(ids.size());
    std::size_t size = 0;
    for (std::size_t begin = 0; begin < ids.size(); begin += size) {
        size = std::min((7 * size + 1) % 1000, ids.size() - begin);
        batched.intern(std::span<const Id>(ids).subspan(begin, size), indices.data() + begin);
    }
    EXPECT_EQ(indices, expected);
    EXPECT_EQ(batched.size(), single.size());
    for (const Id& id : ids) ASSERT_EQ(batched.find(id), single.find(id));
    std::vector<std::uint32_t> found(ids.size());
    batched.find(std::span<const Id>(ids), found.data());
    EXPECT_EQ(found, expected);
}

/// Looked up in batches, ids that a table does not have are found nowhere, whatever is around them.
template <class Id>
void expect_batches_find_half(IdKind kind, const std::vector<Id>& ids) {
    IdTable table(kind);
    std::vector<std::uint32_t> expected(ids.size(), IdTable::kUnknown), found(ids.size());
    for (std::size_t i = 0; i < ids.size() / 2; ++i) table.intern(ids[i]);
    for (std::size_t i = 0; i < ids.size(); ++i) expected[i] = table.find(ids[i]).value_or(IdTable::kUnknown);
    const std::uint32_t size = table.size();
    table.find(std::span<const Id>(ids), found.data());
    EXPECT_EQ(found, expected);
    EXPECT_EQ(table.size(), size);
    EXPECT_NE(std::count(found.begin(), found.end(), IdTable::kUnknown), 0);
    IdTable(kind).find(std::span<const Id>(ids), found.data());
    EXPECT_EQ(std::count(found.begin(), found.end(), IdTable::kUnknown), static_cast<std::ptrdiff_t>(found.size()));
}

TEST(IdTable, BatchesGiveTheIndicesOfSingleIds) {
    Random random(3);
    std::vector<std::int64_t> integers;
    std::vector<std::string> texts, uuids;
    while (integers.size() < 50000) {
        const std::uint64_t draw = random.next() % 20000;
        // Runs of one id, new ones and known ones among them.
        for (std::uint64_t run = random.next() % 4; run > 0; --run) {
            integers.push_back(static_cast<std::int64_t>(draw) - 10000);
            texts.push_back(std::string(draw % 12, 'x') + std::to_string(draw));
            uuids.push_back(std::string(8, '\0') + std::to_string(10000000 + draw));
        }
    }
    expect_batches_agree(IdKind::Integer, integers);
    expect_batches_agree(IdKind::Text, std::vector<std::string_view>(texts.begin(), texts.end()));
    expect_batches_agree(IdKind::Uuid, std::vector<std::string_view>(uuids.begin(), uuids.end()));
}

TEST(IdTable, BatchesFindWhatThereIs) {
    std::vector<std::int64_t> integers;
    std::vector<std::string> texts, uuids;
    for (std::int64_t i = 0; i < 5000; ++i) {
        integers.push_back(i * 7919 % 3000);
        texts.push_back("id " + std::to_string(i * 7919 % 3000));
        uuids.push_back(std::to_string(1000000000000000 + i * 7919 % 3000));
    }
    expect_batches_find_half(IdKind::Integer, integers);
    expect_batches_find_half(IdKind::Text, std::vector<std::string_view>(texts.begin(), texts.end()));
    expect_batches_find_half(IdKind::Uuid, std::vector<std::string_view>(uuids.begin(), uuids.end()));
}

TEST(IdTable, SortsMoreIdsThanOneBlockOnAnyThreads) {
    // Texts that differ only behind more bytes than are compared first, in an order of arrival that is not theirs.
    constexpr std::uint32_t kIds = 150000;
    for (const int threads : {1, 3}) {
        Environment environment;
        environment.threads = threads;
        int polls = 0, checkpoints = 0;
        environment.interrupted = [&] { return ++polls % 3 == 0; };
        environment.checkpoint = [&] { ++checkpoints; };
        IdTable integers(IdKind::Integer);
        IdTable texts(IdKind::Text);
        texts.intern("user");
        for (std::uint32_t i = 0; i < kIds; ++i) {
            const std::uint32_t scattered = static_cast<std::uint32_t>(std::uint64_t{i} * 1000003 % kIds);
            integers.intern(std::int64_t{scattered} * scattered - 1000000);
            texts.intern("user_of_the_shop_" + std::to_string(kIds + scattered));
        }
        const std::vector<std::uint32_t> integer_rank = integers.sort(environment);
        const std::vector<std::uint32_t> text_rank = texts.sort(environment);
        // With helpers, how many blocks are left to the calling thread, which polls, is a matter of luck.
        EXPECT_TRUE(threads > 1 || checkpoints > 10) << checkpoints;
        EXPECT_EQ(text_rank[0], 0u);
        for (std::uint32_t i = 0; i < kIds; ++i) {
            const std::uint32_t scattered = static_cast<std::uint32_t>(std::uint64_t{i} * 1000003 % kIds);
            ASSERT_EQ(integer_rank[i], scattered);
            ASSERT_EQ(text_rank[i + 1], scattered + 1);
            ASSERT_EQ(integers.find(std::int64_t{i} * i - 1000000), i);
            ASSERT_EQ(texts.bytes(i + 1), "user_of_the_shop_" + std::to_string(kIds + i));
            ASSERT_EQ(texts.find(texts.bytes(i + 1)), i + 1);
        }
    }
}

TEST(IdTable, UuidsOfManyBlocksSort) {
    std::set<std::string> expected;
    IdTable table(IdKind::Uuid);
    Random random(5);
    for (int i = 0; i < 100000; ++i) {
        std::string id(16, '\0');
        for (char& byte : id) byte = static_cast<char>(random.next() % 2 ? 255 : 3);
        table.intern(id);
        expected.insert(id);
    }
    table.sort();
    std::uint32_t next = 0;
    for (const std::string& id : expected) ASSERT_EQ(table.bytes(next++), id);
}

TEST(IdTable, SortingCanBeCancelled) {
    IdTable table(IdKind::Text);
    for (int i = 0; i < 100000; ++i) table.intern(std::to_string(i));
    // Wherever the cancel comes, until sorting looks no more.
    for (int allowed = 0;; ++allowed) {
        Environment environment;
        int polls = 0;
        environment.interrupted = [&] { return ++polls > allowed; };
        environment.checkpoint = [] { throw std::runtime_error("cancel"); };
        IdTable copy(IdKind::Text);
        for (std::uint32_t i = 0; i < table.size(); ++i) copy.intern(table.bytes(i));
        try {
            copy.sort(environment);
        } catch (const std::runtime_error&) {
            continue;
        }
        EXPECT_GT(allowed, 10);
        break;
    }
}

TEST(IdTable, CanGrowOnAfterSorting) {
    IdTable table(IdKind::Text);
    table.intern("b");
    table.intern("a");
    table.sort();
    EXPECT_EQ(table.intern("b"), 1u);
    for (int i = 0; i < 1000; ++i)
        EXPECT_EQ(table.intern(std::to_string(i) + "th"), 2u + static_cast<std::uint32_t>(i));
    EXPECT_EQ(table.find("a"), 0u);
    EXPECT_EQ(table.find("999th"), 1001u);
}

TEST(IdTable, SortingNothingIsFine) {
    IdTable table(IdKind::Integer);
    EXPECT_TRUE(table.sort().empty());
    EXPECT_EQ(table.find(0), std::nullopt);
}

TEST(IdTable, RefusesMoreIdsThanIndices) {
    IdTable table(IdKind::Integer, 3);
    for (const std::int64_t id : {1, 2, 3}) table.intern(id);
    try {
        table.intern(4);
        FAIL();
    } catch (const InvalidData& error) {
        EXPECT_STREQ(error.what(), "more than 3 distinct users or items");
    }
    EXPECT_EQ(table.intern(2), 1u) << "known ids are still served";
    EXPECT_EQ(table.size(), 3u);
    EXPECT_EQ(IdTable::kMaximumSize, 4294967294u);
}

TEST(IdTable, RefusesIdsOfAnotherForm) {
    IdTable integers(IdKind::Integer);
    IdTable texts(IdKind::Text);
    IdTable uuids(IdKind::Uuid);
    EXPECT_THROW(integers.intern("1"), std::logic_error);
    EXPECT_THROW(texts.intern(1), std::logic_error);
    EXPECT_THROW(texts.find(1), std::logic_error);
    EXPECT_THROW(uuids.intern("0123456789abcde"), std::logic_error);
    const std::int64_t integer = 1;
    const std::string_view text = "0123456789abcde";
    std::uint32_t index;
    EXPECT_THROW(texts.intern(std::span(&integer, 1), &index), std::logic_error);
    EXPECT_THROW(integers.intern(std::span(&text, 1), &index), std::logic_error);
    EXPECT_THROW(uuids.intern(std::span(&text, 1), &index), std::logic_error);
    EXPECT_THROW(integers.find(std::span(&text, 1), &index), std::logic_error);
    EXPECT_THROW(uuids.find(std::span(&text, 1), &index), std::logic_error);
    EXPECT_THROW(uuid_text("0123456789abcde"), std::logic_error);
}

TEST(IdTable, MemoryFollowsTheIds) {
    IdTable table(IdKind::Text);
    const std::size_t empty = table.memory();
    for (int i = 0; i < 10000; ++i) table.intern(std::to_string(100000 + i) + " is an id of 30 bytes ..");
    // Bytes and end of each id, and two to four slots of 8 bytes.
    EXPECT_GE(table.memory() - empty, 10000u * (30 + 8 + 16));
    EXPECT_LE(table.memory() - empty, 10000u * (2 * (30 + 8) + 32));
}

TEST(ParseIntegerId, TakesWhatPostgresPrints) {
    const std::pair<const char*, std::int64_t> cases[] = {{"0", 0},
                                                          {"7", 7},
                                                          {"-1", -1},
                                                          {"1000", 1000},
                                                          {"9223372036854775807", kGreatest},
                                                          {"-9223372036854775808", kLeast}};
    for (const auto& [text, expected] : cases) {
        std::int64_t id = 99;
        EXPECT_TRUE(parse_integer_id(text, &id)) << text;
        EXPECT_EQ(id, expected);
    }
}

TEST(ParseIntegerId, RejectsEverythingElse) {
    for (const std::string_view text :
         {"", "-", "+5", "007", "00", "-0", "-07", " 5", "5 ", "5.0", "0x10", "1e3", "five", "--5",
          "9223372036854775808", "-9223372036854775809", "99999999999999999999999"}) {
        std::int64_t id = 99;
        EXPECT_FALSE(parse_integer_id(text, &id)) << text;
        EXPECT_EQ(id, 99) << text;
    }
    std::int64_t id = 99;
    EXPECT_FALSE(parse_integer_id(std::string_view("5\0", 2), &id));
}

TEST(ParseUuidId, InvertsUuidText) {
    std::string bytes;
    for (int i = 0; i < 16; ++i) bytes.push_back(static_cast<char>(17 * (15 - i)));
    EXPECT_EQ(uuid_text(bytes), "ffeeddcc-bbaa-9988-7766-554433221100");
    std::string parsed;
    EXPECT_TRUE(parse_uuid_id("ffeeddcc-bbaa-9988-7766-554433221100", &parsed));
    EXPECT_EQ(parsed, bytes);
    EXPECT_TRUE(parse_uuid_id("FFEEDDCC-BBAA-9988-7766-554433221100", &parsed));
    EXPECT_EQ(parsed, bytes);
}

TEST(ParseUuidId, RejectsOtherForms) {
    for (const std::string_view text :
         {"", "ffeeddcc-bbaa-9988-7766-55443322110", "ffeeddcc-bbaa-9988-7766-5544332211000",
          "ffeeddccbbaa99887766554433221100", "{ffeeddcc-bbaa-9988-7766-554433221100}",
          "ffeeddcc-bbaa-9988-7766-55443322110g", "ffeeddcc-bbaa-9988-7766+554433221100",
          "ffeeddccb-baa-9988-7766-554433221100", "ffeeddcc-bbaa-9988-7766-5544 3221100"}) {
        std::string bytes = "kept";
        EXPECT_FALSE(parse_uuid_id(text, &bytes)) << text;
        EXPECT_EQ(bytes, "kept");
    }
}

}  // namespace
}  // namespace mf
