#include "core/retrieval/top_n.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/base/random.hpp"

namespace mf {
namespace {

constexpr std::size_t kHuge = std::numeric_limits<std::size_t>::max();

/// One factor: item i scores scores[i] for the query (1).
FactorMatrix one_factor(const std::vector<float>& scores) {
    FactorMatrix items(scores.size(), 1);
    for (std::size_t i = 0; i < scores.size(); ++i) items.row(i)[0] = scores[i];
    return items;
}

FactorMatrix unit_query() { return one_factor({1}); }

/// Small whole numbers: dot products are exact in any order of summation, and ties are frequent.
FactorMatrix whole_numbers(std::size_t rows, int factors, std::uint64_t seed) {
    Random random(seed);
    FactorMatrix matrix(rows, factors);
    for (std::size_t r = 0; r < rows; ++r) {
        for (int f = 0; f < factors; ++f) matrix.row(r)[f] = static_cast<float>(random.next() % 7) - 3;
    }
    return matrix;
}

// As the functions under test, with an index made for the call.
std::vector<ScoredItem> top_n(const float* query, const FactorMatrix& items, std::size_t n,
                              std::span<const std::uint32_t> excluded) {
    Environment environment;
    const OwnedItemIndex index(items, environment);
    return mf::top_n(query, index.get(), n, excluded);
}

std::vector<ScoredItem> top_n_of(const float* query, const FactorMatrix& items, std::size_t n,
                                 std::span<const std::uint32_t> candidates, std::span<const std::uint32_t> excluded) {
    Environment environment;
    const OwnedItemIndex index(items, environment);
    return mf::top_n_of(query, index.get(), n, candidates, excluded);
}

std::vector<std::uint32_t> ids_of(const std::vector<ScoredItem>& items) {
    std::vector<std::uint32_t> ids;
    for (const ScoredItem& item : items) ids.push_back(item.item);
    return ids;
}

/// Sorts all allowed items; the plain twin of both functions.
std::vector<ScoredItem> by_sorting(const float* query, const FactorMatrix& items, std::size_t n,
                                   const std::vector<std::uint32_t>& candidates,
                                   const std::vector<std::uint32_t>& excluded) {
    std::vector<ScoredItem> all;
    for (const std::uint32_t item : candidates) {
        if (std::binary_search(excluded.begin(), excluded.end(), item)) continue;
        float score = 0;
        for (int f = 0; f < items.factors(); ++f) score += query[f] * items.row(item)[f];
        all.push_back({item, score});
    }
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    all.resize(std::min(n, all.size()));
    return all;
}

void expect_same(const std::vector<ScoredItem>& actual, const std::vector<ScoredItem>& expected) {
    ASSERT_EQ(ids_of(actual), ids_of(expected));
    for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_EQ(actual[i].score, expected[i].score);
}

std::vector<std::uint32_t> random_subset(std::size_t universe, std::size_t one_in, Random& random) {
    std::vector<std::uint32_t> subset;
    for (std::uint32_t i = 0; i < universe; ++i) {
        if (random.next() % one_in == 0) subset.push_back(i);
    }
    return subset;
}

TEST(BestN, KeepsTheBestInOrder) {
    BestN best(3);
    for (const ScoredItem item : {ScoredItem{0, 1}, {1, 5}, {2, 3}, {3, 4}, {4, 2}}) best.push(item);
    EXPECT_EQ(ids_of(best.take_sorted()), (std::vector<std::uint32_t>{1, 3, 2}));
    EXPECT_TRUE(best.take_sorted().empty()) << "taking leaves it empty";
    best.push({9, 0});
    EXPECT_EQ(ids_of(best.take_sorted()), (std::vector<std::uint32_t>{9})) << "and usable";
}

TEST(BestN, TiesGoToTheSmallerIndexWhateverTheOrder) {
    std::vector<std::uint32_t> order{0, 1, 2, 3, 4, 5};
    do {
        BestN best(2);
        for (const std::uint32_t item : order) best.push({item, item == 5 ? -1.0f : 7.0f});
        ASSERT_EQ(ids_of(best.take_sorted()), (std::vector<std::uint32_t>{0, 1}));
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST(BestN, ZeroAndHugeSizes) {
    BestN none(0);
    none.push({1, 1});
    EXPECT_TRUE(none.take_sorted().empty());
    BestN all(kHuge);
    all.push({1, 1});
    all.push({2, 2});
    EXPECT_EQ(ids_of(all.take_sorted()), (std::vector<std::uint32_t>{2, 1}));
}

TEST(BestN, NotANumberIsWorst) {
    constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
    BestN best(3);
    for (const ScoredItem item : {ScoredItem{0, kNaN}, {1, kNaN}, {2, kNaN}, {3, 1}, {4, kNaN}, {5, -1e30f}})
        best.push(item);
    EXPECT_EQ(ids_of(best.take_sorted()), (std::vector<std::uint32_t>{3, 5, 0}));
}

TEST(TopN, SmallCase) {
    const FactorMatrix items = one_factor({0.5f, 2, -1, 2, 3});
    const FactorMatrix query = unit_query();
    expect_same(top_n(query.row(0), items, 3, {}), {{4, 3}, {1, 2}, {3, 2}});
    const std::vector<std::uint32_t> excluded{1, 4};
    expect_same(top_n(query.row(0), items, 2, excluded), {{3, 2}, {0, 0.5f}});
}

TEST(TopN, GivesExactlyWhatThereIs) {
    const FactorMatrix items = one_factor({1, 2, 3, 4, 5});
    const FactorMatrix query = unit_query();
    const std::vector<std::uint32_t> some{0, 2};
    const std::vector<std::uint32_t> all{0, 1, 2, 3, 4};
    EXPECT_EQ(top_n(query.row(0), items, 0, {}).size(), 0u);
    EXPECT_EQ(top_n(query.row(0), items, 5, {}).size(), 5u);
    EXPECT_EQ(top_n(query.row(0), items, 6, {}).size(), 5u);
    EXPECT_EQ(top_n(query.row(0), items, kHuge, some).size(), 3u);
    EXPECT_EQ(top_n(query.row(0), items, 3, all).size(), 0u);
    EXPECT_EQ(top_n(query.row(0), FactorMatrix(0, 1), 3, {}).size(), 0u);
}

TEST(TopN, ExclusionsWithoutAnItemOrRepeatedDoNoHarm) {
    const FactorMatrix items = one_factor({1, 2, 3});
    const FactorMatrix query = unit_query();
    const std::vector<std::uint32_t> excluded{1, 1, 7, 4294967295u};
    EXPECT_EQ(ids_of(top_n(query.row(0), items, 3, excluded)), (std::vector<std::uint32_t>{2, 0}));
}

TEST(TopN, AgreesWithSortingAtTheEdgesOfBlocks) {
    Random random(1);
    for (const std::size_t count : {1u, 2u, 127u, 128u, 129u, 255u, 256u, 257u, 1000u}) {
        for (const int factors : {1, 15, 16, 17, 64}) {
            const FactorMatrix items = whole_numbers(count, factors, count);
            const FactorMatrix query = whole_numbers(1, factors, 99);
            std::vector<std::uint32_t> all(count);
            for (std::uint32_t i = 0; i < count; ++i) all[i] = i;
            for (const std::size_t n : {std::size_t{1}, std::size_t{10}, count, kHuge}) {
                for (const std::size_t one_in : {1000000u, 2u, 1u}) {
                    const std::vector<std::uint32_t> excluded = random_subset(count, one_in, random);
                    expect_same(top_n(query.row(0), items, n, excluded),
                                by_sorting(query.row(0), items, n, all, excluded));
                }
            }
        }
    }
}

TEST(TopNOf, AgreesWithSorting) {
    Random random(2);
    const FactorMatrix items = whole_numbers(500, 20, 1);
    const FactorMatrix query = whole_numbers(1, 20, 2);
    for (const std::size_t one_in : {1u, 3u, 100u, 1000000u}) {
        const std::vector<std::uint32_t> candidates = random_subset(500, one_in, random);
        for (const std::size_t excluded_one_in : {1u, 2u, 50u, 1000000u}) {
            const std::vector<std::uint32_t> excluded = random_subset(500, excluded_one_in, random);
            for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{25}, kHuge}) {
                expect_same(top_n_of(query.row(0), items, n, candidates, excluded),
                            by_sorting(query.row(0), items, n, candidates, excluded));
            }
        }
    }
}

TEST(TopNEachOf, AgreesWithOneAfterTheOther) {
    Random random(4);
    const FactorMatrix items = whole_numbers(500, 20, 1);
    const FactorMatrix queries = whole_numbers(40, 20, 2);
    Environment environment;
    const OwnedItemIndex index(items, environment);
    std::vector<std::vector<std::uint32_t>> excluded;
    std::vector<std::span<const std::uint32_t>> views;
    for (std::size_t q = 0; q < queries.rows(); ++q) excluded.push_back(random_subset(500, 1 + q, random));
    views.assign(excluded.begin(), excluded.end());
    for (const std::size_t one_in : {1u, 3u, 100u, 1000000u}) {
        const std::vector<std::uint32_t> candidates = random_subset(500, one_in, random);
        for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{25}, kHuge}) {
            std::vector<std::vector<ScoredItem>> lists(queries.rows(), {{7, 7.0f}});
            top_n_each_of(queries, index.get(), n, candidates, views, lists);
            for (std::size_t q = 0; q < queries.rows(); ++q)
                expect_same(lists[q], by_sorting(queries.row(q), items, n, candidates, excluded[q]));
        }
    }
}

TEST(TopNOf, ScoresHaveTheBitsOfTopN) {
    Random random(3);
    FactorMatrix items(300, 50);
    FactorMatrix query(1, 50);
    for (int f = 0; f < 50; ++f) query.row(0)[f] = static_cast<float>(random.normal());
    std::vector<std::uint32_t> all;
    for (std::uint32_t i = 0; i < 300; ++i) {
        all.push_back(i);
        for (int f = 0; f < 50; ++f) items.row(i)[f] = static_cast<float>(random.normal());
    }
    expect_same(top_n_of(query.row(0), items, 300, all, {}), top_n(query.row(0), items, 300, {}));
}

// Factors of every kind that retrieval could trip over.
struct Family {
    const char* name;
    float (*value)(Random& random, std::size_t row, std::size_t rows);
};

float normal(Random& random) { return static_cast<float>(random.normal()); }

const Family kFamilies[] = {
    {"equal norms", [](Random& random, std::size_t, std::size_t) { return random.next() % 2 ? 1.0f : -1.0f; }},
    {"random", [](Random& random, std::size_t, std::size_t) { return normal(random); }},
    {"skewed norms",
     [](Random& random, std::size_t row, std::size_t) { return normal(random) / static_cast<float>(1 + row % 97); }},
    {"tied", [](Random& random, std::size_t, std::size_t) { return static_cast<float>(random.next() % 2); }},
    {"zero but a few",
     [](Random& random, std::size_t row, std::size_t) { return row % 50 == 3 ? normal(random) : 0.0f; }},
    {"all zero", [](Random&, std::size_t, std::size_t) { return 0.0f; }},
    {"all negative", [](Random& random, std::size_t, std::size_t) { return -0.1f - std::fabs(normal(random)); }},
    {"tiny", [](Random& random, std::size_t, std::size_t) { return 1e-30f * normal(random); }},
    {"denormal",
     [](Random& random, std::size_t, std::size_t) { return 1e-44f * static_cast<float>(random.next() % 9); }},
    {"huge", [](Random& random, std::size_t, std::size_t) { return 1e18f * normal(random); }},
    {"overflowing",
     [](Random& random, std::size_t row, std::size_t) { return (row % 3 ? 1e19f : 1e25f) * normal(random); }},
    {"one giant", [](Random& random, std::size_t row,
                     std::size_t rows) { return (row == rows / 2 ? 1e6f : 1.0f) * normal(random); }},
    {"infinite ones",
     [](Random& random, std::size_t row, std::size_t) {
         return row % 70 == 5 && random.next() % 4 == 0 ? std::numeric_limits<float>::infinity() : normal(random);
     }},
};

TEST(TopN, EqualsScoringEveryItem) {
    for (const Family& family : kFamilies) {
        for (const std::size_t rows : {1u, 63u, 65u, 900u}) {
            for (const int factors : {1, 16, 50}) {
                Random random(rows * 1000 + static_cast<std::size_t>(factors));
                FactorMatrix items(rows, factors), queries(3, factors);
                for (std::size_t r = 0; r < rows; ++r)
                    for (int f = 0; f < factors; ++f) items.row(r)[f] = family.value(random, r, rows);
                for (std::size_t q = 0; q < queries.rows(); ++q)
                    for (int f = 0; f < factors; ++f)
                        queries.row(q)[f] = q == 0   ? std::fabs(normal(random))
                                            : q == 1 ? family.value(random, 1, rows)
                                                     : normal(random);
                const std::vector<std::uint32_t> excluded = random_subset(rows, 5, random);
                const std::vector<std::uint32_t> candidates = random_subset(rows, rows > 500 ? 30 : 2, random);
                for (std::size_t q = 0; q < queries.rows(); ++q) {
                    for (const std::size_t n : {std::size_t{1}, std::size_t{10}, rows}) {
                        SCOPED_TRACE(std::string(family.name) + ", " + std::to_string(rows) + " x " +
                                     std::to_string(factors) + ", query " + std::to_string(q) +
                                     ", n = " + std::to_string(n));
                        expect_same(top_n(queries.row(q), items, n, excluded),
                                    top_n_by_scan(queries.row(q), items, n, excluded));
                        std::vector<std::uint32_t> others;
                        std::size_t next = 0;
                        for (std::uint32_t i = 0; i < rows; ++i) {
                            if (next < candidates.size() && candidates[next] == i)
                                ++next;
                            else
                                others.push_back(i);
                        }
                        expect_same(top_n_of(queries.row(q), items, n, candidates, {}),
                                    top_n_by_scan(queries.row(q), items, n, others));
                        if (::testing::Test::HasFailure()) return;
                    }
                }
            }
        }
    }
}

TEST(TopN, EqualsDoublePrecisionBesidesRounding) {
    Random random(17);
    FactorMatrix items(5000, 64), query(1, 64);
    for (int f = 0; f < 64; ++f) query.row(0)[f] = normal(random);
    for (std::size_t i = 0; i < items.rows(); ++i)
        for (int f = 0; f < 64; ++f) items.row(i)[f] = normal(random) / std::sqrt(static_cast<float>(1 + i));
    std::vector<double> exact(items.rows(), 0.0);
    for (std::size_t i = 0; i < items.rows(); ++i)
        for (int f = 0; f < 64; ++f)
            exact[i] += static_cast<double>(items.row(i)[f]) * static_cast<double>(query.row(0)[f]);
    std::vector<double> sorted = exact;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    const std::vector<ScoredItem> best = top_n(query.row(0), items, 50, {});
    ASSERT_EQ(best.size(), 50u);
    for (std::size_t i = 0; i < best.size(); ++i) EXPECT_NEAR(exact[best[i].item], sorted[i], 1e-4) << i;
}

TEST(TopN, SurvivesFactorsThatAreNoNumbers) {
    constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> scores(1000, kNaN);
    scores[500] = 1;
    const FactorMatrix items = one_factor(scores);
    const FactorMatrix query = unit_query();
    const std::vector<ScoredItem> best = top_n(query.row(0), items, 10, {});
    ASSERT_EQ(best.size(), 10u);
    EXPECT_EQ(best[0].item, 500u);
    const std::vector<std::uint32_t> ids = ids_of(best);
    EXPECT_EQ(std::set<std::uint32_t>(ids.begin(), ids.end()).size(), 10u);
}

TEST(TopNEachTest, IsTopNOfEachQuery) {
    const FactorMatrix items = whole_numbers(700, 20, 3), queries = whole_numbers(37, 20, 4);
    Environment environment;
    const OwnedItemIndex index(items, environment);
    std::vector<std::vector<std::uint32_t>> excluded(queries.rows());
    for (std::uint32_t q = 0; q < 37; ++q)
        for (std::uint32_t item = q; item < 700; item += q + 1)
            if (q % 3 != 0) excluded[q].push_back(item);
    std::vector<std::vector<std::uint32_t>> unordered;  // each item twice
    for (const std::vector<std::uint32_t>& ascending : excluded) {
        unordered.emplace_back(ascending.rbegin(), ascending.rend());
        unordered.back().insert(unordered.back().end(), ascending.begin(), ascending.end());
    }
    const std::vector<std::span<const std::uint32_t>> views(unordered.begin(), unordered.end());
    for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{10}, std::size_t{699}, kHuge})
        for (const std::size_t count : {0u, 1u, 16u, 37u}) {
            std::vector<std::vector<ScoredItem>> lists(count, {{1, 1.0f}});
            const FactorView some = FactorView(queries).slice(0, count);
            top_n_each(some, index.get(), n, std::span(views).first(count), lists);
            for (std::size_t q = 0; q < count; ++q)
                expect_same(lists[q], mf::top_n(queries.row(q), index.get(), n, excluded[q]));
        }
}

}  // namespace
}  // namespace mf
