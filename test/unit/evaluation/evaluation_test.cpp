#include "core/evaluation/evaluation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "core/evaluation/metrics.hpp"
#include "core/linalg/kernels.hpp"
#include "core/retrieval/top_n.hpp"

namespace mf {
namespace {

// Ten items ranked, relevant ones at ranks 1, 2 and 6; worked by hand.
TEST(RankingMetricsTest, ExampleByHand) {
    const std::uint32_t ranks[] = {1, 2, 6};
    const RankingMetrics at5 = ranking_metrics(ranks, 10, 5);
    EXPECT_DOUBLE_EQ(at5.precision, 2.0 / 5);
    EXPECT_DOUBLE_EQ(at5.recall, 2.0 / 3);
    EXPECT_DOUBLE_EQ(at5.ndcg,
                     (1 / std::log2(3.0) + 1 / std::log2(4.0)) / (1 + 1 / std::log2(3.0) + 1 / std::log2(4.0)));
    EXPECT_DOUBLE_EQ(at5.average_precision, (1.0 / 2 + 2.0 / 3) / 3);
    EXPECT_DOUBLE_EQ(at5.reciprocal_rank, 0.5);
    EXPECT_DOUBLE_EQ(at5.hit_rate, 1);
    // Of 21 pairs those with an irrelevant item in front are wrong: 1 + 1 + 4.
    EXPECT_DOUBLE_EQ(at5.auc, 15.0 / 21);
    const RankingMetrics at1 = ranking_metrics(ranks, 10, 1);
    EXPECT_EQ(at1.precision + at1.recall + at1.ndcg + at1.average_precision + at1.hit_rate, 0);
    EXPECT_DOUBLE_EQ(at1.reciprocal_rank, 0.5);
    const RankingMetrics at2 = ranking_metrics(ranks, 10, 2);
    EXPECT_DOUBLE_EQ(at2.average_precision, (1.0 / 2) / 2) << "the ideal has no more than k hits";
}

TEST(RankingMetricsTest, BestWorstAndUndefined) {
    const std::uint32_t best[] = {0, 1};
    const RankingMetrics top = ranking_metrics(best, 5, 2);
    for (const double value :
         {top.precision, top.recall, top.ndcg, top.average_precision, top.reciprocal_rank, top.auc})
        EXPECT_DOUBLE_EQ(value, 1);
    const std::uint32_t worst[] = {3, 4};
    EXPECT_DOUBLE_EQ(ranking_metrics(worst, 5, 2).auc, 0);
    EXPECT_TRUE(std::isnan(ranking_metrics(best, 2, 2).auc));
}

/// Random users on random factors; some factors repeat, so that scores tie.
struct Case {
    FactorMatrix items;
    FactorMatrix queries;
    std::vector<TestUser> users;
};

Case random_case(std::uint32_t items, std::uint32_t users, int factors) {
    std::mt19937 random(items + users);
    std::normal_distribution<float> normal;
    Case c{FactorMatrix(items, factors), FactorMatrix(users, factors), std::vector<TestUser>(users)};
    for (std::uint32_t i = 0; i < items; ++i)
        for (int f = 0; f < factors; ++f) c.items.row(i)[f] = i % 3 == 2 ? c.items.row(i - 1)[f] : normal(random);
    for (std::uint32_t u = 0; u < users; ++u) {
        for (int f = 0; f < factors; ++f) c.queries.row(u)[f] = normal(random);
        for (std::uint32_t i = 0; i < items; ++i) {
            const unsigned what = random() % 8;
            if (what == 0) c.users[u].seen.push_back(i);
            if (what == 1) c.users[u].relevant.push_back(i);
        }
    }
    return c;
}

/// Positions of the relevant items in the list.
std::vector<std::uint32_t> ranks_in_list(const std::vector<ScoredItem>& list, const TestUser& user) {
    std::vector<std::uint32_t> ranks;
    for (std::uint32_t rank = 0; rank < list.size(); ++rank)
        if (std::binary_search(user.relevant.begin(), user.relevant.end(), list[rank].item)) ranks.push_back(rank);
    return ranks;
}

/// Of all items, and of subsets of many, few and no items.
void expect_order_of_top_n(const Case& c, int threads) {
    Environment environment;
    environment.threads = threads;
    const OwnedItemIndex index(c.items, environment);
    std::vector<std::vector<std::uint32_t>> ranks;
    rank_by_factors(c.queries.row(0), c.users, index.get(), environment, ranks);
    ASSERT_EQ(ranks.size(), c.users.size());
    for (std::size_t u = 0; u < ranks.size(); ++u)
        EXPECT_EQ(ranks[u],
                  ranks_in_list(top_n(c.queries.row(u), index.get(), c.items.rows(), c.users[u].seen), c.users[u]));

    for (const std::uint32_t one_in : {1u, 3u, 40u, 1000000u}) {
        std::vector<std::uint32_t> some;
        for (std::uint32_t i = one_in / 2; i < c.items.rows(); i += one_in) some.push_back(i);
        const ItemSubset subset(some, index.get());
        std::vector<TestUser> users;
        for (const TestUser& user : c.users) users.push_back(subset.restricted(user));
        std::vector<std::vector<std::uint32_t>> ranks_of_some;
        rank_by_factors(c.queries.row(0), users, index.get(), subset, environment, ranks_of_some);
        ASSERT_EQ(ranks_of_some.size(), users.size());
        if (one_in == 1) {
            EXPECT_EQ(ranks_of_some, ranks);
        }
        for (std::size_t u = 0; u < users.size(); ++u)
            EXPECT_EQ(
                ranks_of_some[u],
                ranks_in_list(top_n_of(c.queries.row(u), index.get(), some.size(), some, users[u].seen), users[u]))
                << "one item in " << one_in;
    }
}

TEST(RankByFactorsTest, IsTheOrderOfTopN) {
    for (const std::uint32_t items : {1u, 63u, 64u, 65u, 2500u})
        for (const int factors : {1, 16, 40, 150})
            for (const int threads : {1, 3}) expect_order_of_top_n(random_case(items, 70, factors), threads);
}

/// The case with factors times a number; with `close`, items differ in single bits alone.
Case scaled(Case c, float item_scale, float query_scale, bool close = false) {
    for (std::size_t i = 0; i < c.items.rows(); ++i)
        for (int f = 0; f < c.items.factors(); ++f) {
            float& x = c.items.row(i)[f];
            x = close ? item_scale * (1 + static_cast<float>((i + static_cast<std::size_t>(f)) % 5) * 0x1.0p-23f)
                      : x * item_scale;
        }
    for (std::size_t u = 0; u < c.queries.rows(); ++u)
        for (int f = 0; f < c.queries.factors(); ++f) c.queries.row(u)[f] *= query_scale;
    return c;
}

TEST(RankByFactorsTest, NumbersAtTheEndsOfTheRange) {
    for (const float items : {0.0f, 1e-38f, 1e-20f, 1e18f, 1e38f})
        for (const float queries : {0.0f, 1e-38f, 1.0f, 1e18f, 1e38f})
            expect_order_of_top_n(scaled(random_case(130, 5, 70), items, queries), 1);
}

TEST(RankByFactorsTest, ScoresThatRoundingDecides) {
    for (const int factors : {1, 16, 70}) expect_order_of_top_n(scaled(random_case(500, 20, factors), 1, 1, true), 1);
}

TEST(RankByFactorsTest, WhatIsNotANumberComesLast) {
    Case c = random_case(300, 9, 16);
    c.items.row(20)[3] = std::numeric_limits<float>::quiet_NaN();
    c.items.row(21)[3] = std::numeric_limits<float>::infinity();
    c.queries.row(4)[3] = std::numeric_limits<float>::quiet_NaN();
    expect_order_of_top_n(c, 2);
}

TEST(RankingMetricsTest, NdcgIsThatOfTheTrainer) {
    const Case c = random_case(300, 40, 8);
    Environment environment;
    const OwnedItemIndex index(c.items, environment);
    std::vector<std::vector<std::uint32_t>> ranks;
    rank_by_factors(c.queries.row(0), c.users, index.get(), environment, ranks);
    for (std::size_t u = 0; u < ranks.size(); ++u) {
        if (ranks[u].empty()) continue;
        std::vector<std::uint32_t> list;
        for (const ScoredItem& item : top_n(c.queries.row(u), index.get(), 10, c.users[u].seen))
            list.push_back(item.item);
        EXPECT_NEAR(ranking_metrics(ranks[u], 300 - c.users[u].seen.size(), 10).ndcg,
                    ndcg_at({hit_positions(list, c.users[u].relevant, 10), c.users[u].relevant.size()}, 10), 1e-12);
    }
}

TEST(ItemSubsetTest, LeavesOutAllOtherItems) {
    FactorMatrix factors(5, 1);
    for (std::uint32_t i = 0; i < 5; ++i) factors.row(i)[0] = static_cast<float>(i);
    Environment environment;
    const OwnedItemIndex index(factors, environment);
    const ItemSubset subset({1, 2, 4}, index.get());
    EXPECT_EQ(subset.size(), 3u);
    // The index begins with the greatest norm: items 4, 3, 2, 1, 0.
    EXPECT_EQ(std::vector<std::uint32_t>(subset.positions().begin(), subset.positions().end()),
              (std::vector<std::uint32_t>{0, 2, 3}));
    EXPECT_TRUE(subset.contains(4));
    EXPECT_FALSE(subset.contains(3));
    const TestUser user = subset.restricted({{0, 2}, {1, 3, 4}});
    EXPECT_EQ(user.seen, (std::vector<std::uint32_t>{2}));
    EXPECT_EQ(user.relevant, (std::vector<std::uint32_t>{1, 4}));
    FactorMatrix query(1, 1);
    query.row(0)[0] = -1;
    std::vector<std::vector<std::uint32_t>> ranks;
    rank_by_factors(query.row(0), std::span(&user, 1), index.get(), subset, environment, ranks);
    // Best are 0, 1, 2, 3, 4; without 0, 2 and 3 those are 1 and 4.
    EXPECT_EQ(ranks[0], (std::vector<std::uint32_t>{0, 1}));
}

TEST(RanksInOrderTest, SkipsWhatWasSeen) {
    std::vector<std::uint32_t> place{4, 3, 2, 1, 0, 5};  // item 4 first
    const TestUser user{{2, 4}, {0, 3, 5}};
    EXPECT_EQ(ranks_in_order(user, place), (std::vector<std::uint32_t>{0, 2, 3}));
}

TEST(RanksInOrderTest, ManyRelevantItems) {
    constexpr std::uint32_t kItems = 1000;
    std::vector<std::uint32_t> place(kItems);
    for (std::uint32_t item = 0; item < kItems; ++item) place[item] = item * 387 % kItems;
    for (const std::uint32_t step : {2u, 5u, 20u}) {  // 500, 200 and 50 relevant ones
        TestUser user;
        for (std::uint32_t item = 0; item < kItems; ++item) {
            if (item % step == 0) user.relevant.push_back(item);
            if (item % step == 1 && item % 3 != 0) user.seen.push_back(item);
        }
        std::vector<std::uint32_t> expected;
        for (const std::uint32_t item : user.relevant)
            expected.push_back(place[item] -
                               static_cast<std::uint32_t>(std::ranges::count_if(
                                   user.seen, [&](std::uint32_t other) { return place[other] < place[item]; })));
        std::sort(expected.begin(), expected.end());
        EXPECT_EQ(ranks_in_order(user, place), expected) << step;
    }
}

}  // namespace
}  // namespace mf
