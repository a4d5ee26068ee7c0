#include "core/evaluation/list_metrics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/base/random.hpp"

namespace mf {
namespace {

using Positions = std::vector<std::uint32_t>;

double gain(double position) { return 1 / std::log2(position + 1); }  // counted from 1

// Places 1, 3 and 6 are hits; four items are relevant, one is not in the list.
const Positions kThreeHits = {0, 2, 5};
const ListHits kList = {kThreeHits, 4};

TEST(ListMetrics, Precision) {
    EXPECT_DOUBLE_EQ(precision_at(kList, 1), 1);
    EXPECT_DOUBLE_EQ(precision_at(kList, 2), 1.0 / 2);
    EXPECT_DOUBLE_EQ(precision_at(kList, 5), 2.0 / 5);
    EXPECT_DOUBLE_EQ(precision_at(kList, 6), 3.0 / 6);
    EXPECT_DOUBLE_EQ(precision_at(kList, 100), 3.0 / 100);  // a short list is not excused
}

TEST(ListMetrics, Recall) {
    EXPECT_DOUBLE_EQ(recall_at(kList, 1), 1.0 / 4);
    EXPECT_DOUBLE_EQ(recall_at(kList, 5), 2.0 / 4);
    EXPECT_DOUBLE_EQ(recall_at(kList, 100), 3.0 / 4);
}

TEST(ListMetrics, HitRate) {
    const Positions second = {1};
    EXPECT_EQ(hit_rate_at({second, 1}, 1), 0);
    EXPECT_EQ(hit_rate_at({second, 1}, 2), 1);
    EXPECT_EQ(hit_rate_at(kList, 6), 1);
}

TEST(ListMetrics, Ndcg) {
    EXPECT_DOUBLE_EQ(ndcg_at(kList, 1), 1);
    EXPECT_DOUBLE_EQ(ndcg_at(kList, 3), (gain(1) + gain(3)) / (gain(1) + gain(2) + gain(3)));
    EXPECT_DOUBLE_EQ(ndcg_at(kList, 100), (gain(1) + gain(3) + gain(6)) / (gain(1) + gain(2) + gain(3) + gain(4)));
}

TEST(ListMetrics, AveragePrecision) {
    EXPECT_DOUBLE_EQ(average_precision_at(kList, 1), 1);
    EXPECT_DOUBLE_EQ(average_precision_at(kList, 3), (1 + 2.0 / 3) / 3);  // at best three hits among three
    EXPECT_DOUBLE_EQ(average_precision_at(kList, 100), (1 + 2.0 / 3 + 3.0 / 6) / 4);
}

TEST(ListMetrics, ReciprocalRank) {
    const Positions fourth = {3, 4};
    EXPECT_DOUBLE_EQ(reciprocal_rank(kList), 1);
    EXPECT_DOUBLE_EQ(reciprocal_rank({fourth, 2}), 1.0 / 4);
}

TEST(ListMetrics, WithoutHitsAllAreZero) {
    const ListHits list = {{}, 3};
    EXPECT_EQ(precision_at(list, 5), 0);
    EXPECT_EQ(recall_at(list, 5), 0);
    EXPECT_EQ(hit_rate_at(list, 5), 0);
    EXPECT_EQ(ndcg_at(list, 5), 0);
    EXPECT_EQ(average_precision_at(list, 5), 0);
    EXPECT_EQ(reciprocal_rank(list), 0);
}

TEST(ListMetrics, ThePerfectListHasOneOfAll) {
    Positions all(12);
    for (std::uint32_t i = 0; i < 12; ++i) all[i] = i;
    for (const std::size_t relevant : {1, 2, 5, 12}) {
        const ListHits list = {std::span(all).first(relevant), relevant};
        for (const std::size_t k : {1, 3, 12, 20}) {
            EXPECT_EQ(ndcg_at(list, k), 1) << relevant << " at " << k;
            EXPECT_EQ(average_precision_at(list, k), 1) << relevant << " at " << k;
            EXPECT_EQ(hit_rate_at(list, k), 1);
            EXPECT_DOUBLE_EQ(recall_at(list, k), static_cast<double>(std::min(k, relevant)) / relevant);
            EXPECT_DOUBLE_EQ(precision_at(list, k), static_cast<double>(std::min(k, relevant)) / k);
        }
        EXPECT_EQ(reciprocal_rank(list), 1);
    }
}

/// Adds up over all places of the list, with a flag for each.
TEST(ListMetrics, AgreeWithAPlainLoop) {
    Random random(5);
    for (int round = 0; round < 200; ++round) {
        Positions hits;
        std::vector<bool> hit(40);
        for (std::uint32_t i = 0; i < hit.size(); ++i) {
            hit[i] = random.next() % 7 == 0;
            if (hit[i]) hits.push_back(i);
        }
        const ListHits list = {hits, hits.size() + 1 + random.next() % 9};
        for (const std::size_t k : {1, 2, 10, 39, 40, 41, 1000}) {
            double found = 0, discounted = 0, ideal = 0, precisions = 0;
            for (std::size_t i = 0; i < k; ++i) {
                if (i < list.relevant) ideal += gain(static_cast<double>(i) + 1);
                if (i >= hit.size() || !hit[i]) continue;
                ++found;
                discounted += gain(static_cast<double>(i) + 1);
                precisions += found / static_cast<double>(i + 1);
            }
            EXPECT_NEAR(precision_at(list, k), found / static_cast<double>(k), 1e-12);
            EXPECT_NEAR(recall_at(list, k), found / static_cast<double>(list.relevant), 1e-12);
            EXPECT_NEAR(ndcg_at(list, k), discounted / ideal, 1e-12);
            EXPECT_NEAR(average_precision_at(list, k), precisions / static_cast<double>(std::min(k, list.relevant)),
                        1e-12);
        }
    }
}

}  // namespace
}  // namespace mf
