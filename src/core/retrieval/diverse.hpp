// Lists whose items differ from each other, by maximal marginal relevance (Carbonell, Goldstein: "The Use of MMR,
// Diversity-Based Reranking for Reordering Documents and Producing Summaries", SIGIR 1998).
#pragma once

#include "core/base/parallel.hpp"
#include "core/retrieval/top_n.hpp"

namespace mf {

/// Items to choose a list of n from: the ten times n best.
inline constexpr std::size_t kChoicesAPlace = 10;

/// The first of `choices`, best first, and then always the one with the greatest
///
///     (1 − diversity) · relevance − diversity · greatest cosine of its factors with those of an item chosen before,
///
/// the one in front among equals, until there are n. The relevance is the score between that of the last choice, 0, and
/// that of the first, 1; the cosine with a row of zeros is 0. 0 ≤ diversity ≤ 1; with 0 the list is the first n.
/// O(n · choices · k).
std::vector<ScoredItem> diverse_list(const ItemIndex& items, std::vector<ScoredItem> choices, std::size_t n,
                                     double diversity, Environment& environment);

}  // namespace mf
