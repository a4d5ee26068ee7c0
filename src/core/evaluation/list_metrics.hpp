// How good one recommended list is, from the positions of its hits. Relevance is binary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mf {

/// What the metrics need to know of a list. A hit is a recommended item that is relevant.
struct ListHits {
    std::span<const std::uint32_t> positions;  ///< of the hits, counted from 0, ascending and distinct
    std::size_t relevant = 0;                  ///< relevant items, found or not; at least positions.size()
};

// Each is in [0, 1] and O(min(k, relevant) + hits). k is at least 1; relevant is at least 1, since without relevant
// items none of them is defined. Only the first k positions count, except for reciprocal_rank.

/// Hits among the first k / k, also for a list that is shorter than k.
double precision_at(const ListHits& list, std::size_t k);

/// Hits among the first k / relevant items.
double recall_at(const ListHits& list, std::size_t k);

/// 1 if there is a hit among the first k, else 0.
double hit_rate_at(const ListHits& list, std::size_t k);

/// Sum of 1/log2(position + 2) over the hits, divided by that of min(k, relevant) hits at the top.
double ndcg_at(const ListHits& list, std::size_t k);

/// Sum over the hits of the precision up to and with the hit, divided by min(k, relevant).
double average_precision_at(const ListHits& list, std::size_t k);

/// 1 / (position + 1) of the first hit of the whole list; 0 if there is none.
double reciprocal_rank(const ListHits& list);

}  // namespace mf
