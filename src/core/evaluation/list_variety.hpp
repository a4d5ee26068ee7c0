// What a list holds, whether the user likes it or not: how little known its items are, and how much they are alike.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "core/retrieval/item_index.hpp"

namespace mf {

/// NaN where a list has no such value.
struct ListVariety {
    double novelty = std::numeric_limits<double>::quiet_NaN();
    double similarity = std::numeric_limits<double>::quiet_NaN();
};

/// The variety of a list of distinct items. Novelty is the mean self-information of its items in bits,
/// -log2(interactions / users), where an item without interactions counts as one with a single one (Zhou et al.:
/// "Solving the apparent diversity-accuracy dilemma of recommender systems", PNAS 2010); a list without items has none.
/// Similarity is the mean cosine of the factors of two items of the list (Ziegler et al.: "Improving recommendation
/// lists through topic diversification", WWW 2005), that with a row of zeros being 0; a list of fewer than two has
/// none. interactions: of each item of the index. O(list · k): the squared length of the sum of unit vectors is the sum
/// of all their products.
ListVariety list_variety(std::span<const std::uint32_t> list, const ItemIndex& items,
                         std::span<const std::uint32_t> interactions, double users);

}  // namespace mf
