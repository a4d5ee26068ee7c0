#include "core/retrieval/item_image.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>
#include <string>

#include "core/base/hash.hpp"
#include "core/training/ials_fold_in.hpp"

namespace mf {
namespace {

/// Ids of a kind in order: integers of both signs, texts of many lengths, uuids.
IdTable some_ids(IdKind kind, std::uint32_t count) {
    IdTable ids(kind);
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto number = static_cast<std::int64_t>(mix64(i));
        if (kind == IdKind::Integer) {
            ids.intern(number);
        } else {
            std::string bytes(16, '\0');
            std::memcpy(bytes.data(), &number, 8);
            ids.intern(kind == IdKind::Uuid ? bytes : std::string(i % 40, 'x') + std::to_string(i));
        }
    }
    ids.sort();
    return ids;
}

ItemParts some_parts(IdKind kind, std::uint32_t items, int factors, bool rating) {
    ItemParts parts;
    parts.ids = some_ids(kind, items);
    parts.interactions = Array<std::uint32_t>(items);
    parts.ranking = FactorMatrix(items, factors);
    if (rating) {
        parts.rating = FactorMatrix(items, factors);
        parts.rating_bias = Array<float>(items);
    }
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    for (std::uint32_t i = 0; i < items; ++i) {
        parts.interactions[i] = random() % 20;
        if (rating) parts.rating_bias[i] = normal(random);
        for (int f = 0; f < factors; ++f) {
            parts.ranking.row(i)[f] = normal(random);
            if (rating) parts.rating.row(i)[f] = normal(random);
        }
    }
    return parts;
}

Array<char> image_of(const ItemParts& parts) {
    Environment environment;
    Array<char> memory(ItemImage::bytes(parts));
    ItemImage::build(parts, memory.data(), environment);
    // What a second process maps lies elsewhere.
    Array<char> copy(memory.size());
    std::memcpy(copy.data(), memory.data(), memory.size());
    return copy;
}

TEST(SortedIdsTest, FindsWhatTheTableHas) {
    for (const IdKind kind : {IdKind::Integer, IdKind::Uuid, IdKind::Text}) {
        for (const std::uint32_t count : {0u, 1u, 32u, 33u, 5000u}) {
            const IdTable table = some_ids(kind, count);
            std::vector<std::uint64_t> memory(SortedIds::bytes(table) / 8 + 1);
            Environment environment;
            SortedIds::build(table, memory.data(), environment);
            const SortedIds ids(memory.data());
            ASSERT_EQ(ids.size(), count);
            ASSERT_EQ(ids.kind(), kind);
            for (std::uint32_t i = 0; i < count; ++i) {
                EXPECT_EQ(ids.text(i), table.text(i));
                EXPECT_EQ(ids.hash(i), table.hash(i));
                if (kind == IdKind::Integer) {
                    EXPECT_EQ(ids.integer(i), table.integer(i));
                    EXPECT_EQ(ids.find(table.integer(i)), i);
                } else {
                    EXPECT_EQ(ids.bytes(i), table.bytes(i));
                    EXPECT_EQ(ids.find(table.bytes(i)), i);
                }
            }
            // A batch: what is known, in reverse, with something unknown between.
            std::vector<std::uint32_t> indices(2 * count + 1);
            if (kind == IdKind::Integer) {
                EXPECT_FALSE(ids.find(std::int64_t{12345}));
                std::vector<std::int64_t> asked(2 * count + 1, 12345);
                for (std::uint32_t i = 0; i < count; ++i) asked[2 * i + 1] = table.integer(count - 1 - i);
                ids.find(std::span<const std::int64_t>(asked), indices.data());
            } else {
                EXPECT_FALSE(ids.find(std::string_view("0123456789abcdef")));
                std::vector<std::string_view> asked(2 * count + 1, "0123456789abcdef");
                for (std::uint32_t i = 0; i < count; ++i) asked[2 * i + 1] = table.bytes(count - 1 - i);
                ids.find(std::span<const std::string_view>(asked), indices.data());
            }
            for (std::uint32_t i = 0; i < indices.size(); ++i)
                EXPECT_EQ(indices[i], i % 2 == 0 ? SortedIds::kUnknown : count - 1 - i / 2);
        }
    }
}

TEST(SortedIdsTest, FindsIntegersThatLieCloseTogetherByTheirNumber) {
    constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min(),
                           kGreatest = std::numeric_limits<std::int64_t>::max();
    struct Case {
        std::int64_t first, step;
        bool by_number;
    };
    constexpr std::int64_t kClose = SortedIds::kNumbersAnId;
    for (const Case& of : {Case{1, 1, true}, Case{-700, kClose, true}, Case{5, kClose + 1, false},
                           Case{kLeast, 3, true}, Case{kGreatest - 99, 1, true}, Case{kLeast, kGreatest / 50, false}}) {
        constexpr std::uint32_t kIds = 100;
        IdTable table(IdKind::Integer);
        const auto number = [&of](std::uint32_t i) {
            return static_cast<std::int64_t>(static_cast<std::uint64_t>(of.first) +
                                             i * static_cast<std::uint64_t>(of.step));
        };
        for (std::uint32_t i = 0; i < kIds; ++i) table.intern(number(i * 37 % kIds));
        std::vector<std::uint64_t> memory(SortedIds::bytes(table) / 8 + 1);
        Environment environment;
        SortedIds::build(table, memory.data(), environment);
        const SortedIds ids(memory.data());
        EXPECT_EQ(!ids.parts().by_number.empty(), of.by_number) << of.first << " " << of.step;
        // Those that there are, and others below, between and above.
        std::vector<std::int64_t> asked{kLeast, kGreatest, 0, -1, number(0), number(kIds - 1)};
        for (std::uint32_t i = 0; i < kIds; ++i)
            for (const std::uint64_t beside : {-1, 0, 1})
                asked.push_back(static_cast<std::int64_t>(static_cast<std::uint64_t>(number(i)) + beside));
        std::vector<std::uint32_t> indices(asked.size());
        ids.find(std::span<const std::int64_t>(asked), indices.data());
        for (std::size_t i = 0; i < asked.size(); ++i)
            EXPECT_EQ(indices[i], table.find(asked[i]).value_or(SortedIds::kUnknown)) << asked[i];
    }
}

TEST(ItemImageTest, HoldsTheParts) {
    for (const bool rating : {false, true}) {
        for (const int factors : {1, 16, 50}) {
            const ItemParts parts = some_parts(IdKind::Text, 301, factors, rating);
            const Array<char> memory = image_of(parts);
            const ItemImage image(memory.data());
            ASSERT_EQ(image.size(), 301u);
            ASSERT_EQ(image.has_rating(), rating);
            for (std::uint32_t i = 0; i < image.size(); ++i) {
                EXPECT_EQ(image.ids().bytes(i), parts.ids.bytes(i));
                EXPECT_EQ(image.interactions()[i], parts.interactions[i]);
                EXPECT_TRUE(std::equal(parts.ranking.row(i), parts.ranking.row(i) + parts.ranking.stride(),
                                       image.ranking().row(i)));
                if (!rating) continue;
                EXPECT_EQ(image.rating_bias()[i], parts.rating_bias[i]);
                EXPECT_TRUE(std::equal(parts.rating.row(i), parts.rating.row(i) + parts.rating.stride(),
                                       image.rating().row(i)));
            }
        }
    }
}

TEST(ItemImageTest, OrdersByPopularityWithTiesByIndex) {
    const ItemParts parts = some_parts(IdKind::Integer, 500, 4, false);
    const Array<char> memory = image_of(parts);
    const std::span<const std::uint32_t> order = ItemImage(memory.data()).by_popularity();
    ASSERT_EQ(order.size(), 500u);
    for (std::size_t i = 1; i < order.size(); ++i) {
        const std::uint32_t before = parts.interactions[order[i - 1]], now = parts.interactions[order[i]];
        EXPECT_TRUE(before > now || (before == now && order[i - 1] < order[i]));
    }
}

TEST(ItemImageTest, FoldsInWithTheSameBits) {
    IalsParameters parameters;
    parameters.unobserved_weight = 0.1;
    parameters.regularization = 0.5;
    parameters.exponent = 0.5;
    const ItemParts parts = some_parts(IdKind::Integer, 2000, 20, false);
    const Array<char> memory = image_of(parts);
    const ItemImage image(memory.data());
    Environment environment;
    // The Gram matrix has the items with interactions, as in a training run, where the others are zeros.
    FactorMatrix trained(parts.ranking.rows(), parts.ranking.factors());
    for (std::uint32_t i = 0; i < trained.rows(); ++i)
        if (parts.interactions[i] > 0) std::copy_n(parts.ranking.row(i), trained.stride(), trained.row(i));
    IalsFoldIn from_parts({parts.ranking, {}, GramMatrix(trained, environment)}, parameters);
    IalsFoldIn from_image({image.ranking().rows(), image.ranking().positions(), image.gram()}, parameters);
    for (std::uint32_t length : {1u, 7u, 300u}) {
        std::vector<HistoryEntry> history;
        for (std::uint32_t i = 0; i < length; ++i) history.push_back({i * 6 + 1, 1.0f});
        Array<float> a(parts.ranking.stride()), b(parts.ranking.stride());
        from_parts.solve(history, a.data());
        from_image.solve(history, b.data());
        EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin()));
    }
}

}  // namespace
}  // namespace mf
