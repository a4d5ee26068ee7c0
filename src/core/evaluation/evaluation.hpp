// Evaluation of rankings of all items against the items that a user turned out to like.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/retrieval/item_index.hpp"

namespace mf {

/// One user of an evaluation: what the user had seen, which is not ranked, and what is relevant. Both ascending and
/// distinct; they have no item in common.
struct TestUser {
    std::vector<std::uint32_t> seen;
    std::vector<std::uint32_t> relevant;
};

/// Some items of an index, which are ranked as if there were no others. 8 bytes an item, and a bit for each of the
/// index.
class ItemSubset {
  public:
    /// items: ascending and distinct.
    ItemSubset(std::vector<std::uint32_t> items, const ItemIndex& index);

    std::size_t size() const { return items_.size(); }
    std::span<const std::uint32_t> items() const { return items_; }
    bool contains(std::uint32_t item) const { return contains_[item]; }
    /// Positions of the items in the index, ascending.
    std::span<const std::uint32_t> positions() const { return positions_; }
    /// The user without what is not ranked here.
    TestUser restricted(const TestUser& user) const;

  private:
    std::vector<std::uint32_t> items_;
    std::vector<std::uint32_t> positions_;
    std::vector<bool> contains_;
};

/// Metrics of one user's ranking: those of list_metrics.hpp, the reciprocal rank of the whole ranking, and
/// auc, the share of the pairs (relevant, not relevant) that are in the right order; NaN if all are relevant.
struct RankingMetrics {
    double precision = 0;
    double recall = 0;
    double ndcg = 0;
    double average_precision = 0;
    double reciprocal_rank = 0;
    double hit_rate = 0;
    double auc = 0;
};

/// ranks ascending, at least one; ranked: items in the ranking; k ≥ 1. O(relevant).
RankingMetrics ranking_metrics(std::span<const std::uint32_t> ranks, std::uint64_t ranked, std::size_t k);

/// Ranks, ascending, of each user's relevant items in the order of mf::better() by the product of query u
/// (items.stride() floats, aligned to 64 bytes) with the factors: those that top_n() would give. O(users · items · k),
/// on all threads: unlike the top of a list, the rank of an item in the middle of all scores is not to be had from
/// bounds on norms. All scores are products summed in another order than dot's, which decide unless they are as close
/// as rounding; then dot does. With k = 64 and AVX-512 this takes 0.6 to 1.0 times as long as products of 16-bit
/// integers by kernels of their own (VNNI) for ten relevant items a user, 1.0 to 1.8 times for sixty.
void rank_by_factors(const float* queries, std::span<const TestUser> users, const ItemIndex& items,
                     Environment& environment, std::vector<std::vector<std::uint32_t>>& ranks);

/// The same among the items of `ranked` alone, which all seen and relevant items belong to (see
/// ItemSubset::restricted). O(users · ranked · k).
void rank_by_factors(const float* queries, std::span<const TestUser> users, const ItemIndex& items,
                     const ItemSubset& ranked, Environment& environment,
                     std::vector<std::vector<std::uint32_t>>& ranks);

/// The ranks in an order that is the same for all users: place[i] is that of item i. O(seen) for few relevant items,
/// O((relevant + seen) · log seen) for more.
std::vector<std::uint32_t> ranks_in_order(const TestUser& user, std::span<const std::uint32_t> place);

}  // namespace mf
