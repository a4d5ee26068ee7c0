// What a training run that begins with the factors of an earlier one has in common, wherever it takes place.
#pragma once

#include <cstdint>

#include "core/linalg/factor_matrix.hpp"
#include "core/training/options.hpp"

namespace mf {

// Streams of Random for items that a start does not know.
inline constexpr std::uint64_t kRatingStartStream = 0x52537472u;
inline constexpr std::uint64_t kRankingStartStream = 0x4b537472u;

/// The options for a warm start: a third of the iterations, rounded up.
TrainOptions warm_options(TrainOptions options);

/// Gives an item that a start does not know, whose row is zeros, random factors as without a start: zeros would stay
/// zeros wherever new users have new items only.
void complete_item(FactorMatrix& items, std::uint32_t item, std::uint64_t seed, std::uint64_t stream);

}  // namespace mf
