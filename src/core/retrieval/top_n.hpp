// Exact retrieval of the n best items for a query vector.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "core/linalg/factor_matrix.hpp"
#include "core/retrieval/item_index.hpp"

namespace mf {

struct ScoredItem {
    std::uint32_t item;
    float score;
};

/// Best first: greater score, then smaller index.
inline bool better(const ScoredItem& a, const ScoredItem& b) {
    return a.score > b.score || (a.score == b.score && a.item < b.item);
}

/// The score, or minus infinity for NaN, which has no place in any order.
inline float ordered_score(float score) { return std::isnan(score) ? -std::numeric_limits<float>::infinity() : score; }

/// The n best items so far: a binary heap with the worst of them on top. push is O(log n) if the item enters, otherwise
/// O(1). Memory grows with the number of items pushed, so a huge n alone costs nothing.
class BestN {
  public:
    explicit BestN(std::size_t n);
    /// A score of NaN counts as minus infinity.
    void push(ScoredItem item);
    bool full() const { return heap_.size() >= n_; }
    /// The item that is removed when a better one enters; only if full() and n > 0.
    const ScoredItem& worst() const { return heap_.front(); }
    /// Best first; leaves the object empty.
    std::vector<ScoredItem> take_sorted();

  private:
    std::size_t n_;
    std::vector<ScoredItem> heap_;
};

/// The n best of all items not in `excluded` (ascending items). Returns exactly min(n, items - |excluded|) items, the
/// same as scoring every item in single precision. query has items.stride() floats, zero beyond items.factors(), and is
/// aligned to 64 bytes. At worst O(items · k); with trained factors, only a few percent of the items are scored.
std::vector<ScoredItem> top_n(const float* query, const ItemIndex& items, std::size_t n,
                              std::span<const std::uint32_t> excluded);

/// Queries that top_n_each() should get at once: what it reads of the items then serves them all.
inline constexpr std::size_t kQueriesAtOnce = 32;

/// top_n() for each row of `queries`: lists[q] gets that of row q without excluded[q], whose items may be in any order
/// and repeat. Faster than one after the other where the codes of the items do not fit into the cache. Takes a bit for
/// each query and item.
void top_n_each(FactorView queries, const ItemIndex& items, std::size_t n,
                std::span<const std::span<const std::uint32_t>> excluded, std::span<std::vector<ScoredItem>> lists);

/// The n best of the candidates (ascending, distinct items) not in `excluded`. O(candidates · k), or as top_n for many
/// candidates.
std::vector<ScoredItem> top_n_of(const float* query, const ItemIndex& items, std::size_t n,
                                 std::span<const std::uint32_t> candidates, std::span<const std::uint32_t> excluded);

/// top_n_of() for each row of `queries`, faster than one after the other for many candidates, as top_n_each().
void top_n_each_of(FactorView queries, const ItemIndex& items, std::size_t n, std::span<const std::uint32_t> candidates,
                   std::span<const std::span<const std::uint32_t>> excluded, std::span<std::vector<ScoredItem>> lists);

/// top_n() by scoring every item: for a few queries on a matrix that has no index.
std::vector<ScoredItem> top_n_by_scan(const float* query, const FactorMatrix& items, std::size_t n,
                                      std::span<const std::uint32_t> excluded);

}  // namespace mf
