// Counting how many items score above given scores: products of queries with items in 16-bit integers, and the parting
// of the results, compiled for several instruction sets and chosen once at run time. All is integer arithmetic, so the
// variants give the same results.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mf {

/// Items whose codes lie together.
inline constexpr std::size_t kRankPanel = 64;

/// Items counted at a time. A value is a product whose lowest bits are replaced by the number of the item among them.
inline constexpr std::size_t kRankBlock = 1024;
inline constexpr std::int32_t kRankItemMask = kRankBlock - 1;

/// Queries of one call.
inline constexpr std::size_t kRankQueries = 4;

/// Greatest Euclidean norm of the codes of a vector, and greatest code, before they are rounded. By the Cauchy-Schwarz
/// inequality no product of two, nor a part of its sum, is greater than the square of the norm: 32 bits hold it.
inline constexpr double kRankNorm = 46000;
inline constexpr double kRankRange = 32767;

struct RankKernels {
    const char* name;  ///< "avx512", "avx2" or "portable"

    /// values[q·kRankBlock + i] = (Σ_j query q[j]·code(i, j) with its lowest bits cleared) | (first + i), i <
    /// kRankPanel, q < kRankQueries, over 2·words dimensions. code(i, j) is codes[(j/2)·2·kRankPanel + 2·i + j%2],
    /// query q[j] is queries[q·stride + j]. codes and values are aligned to 64 bytes; first is a multiple of
    /// kRankPanel.
    void (*products)(const std::int16_t* codes, const std::int16_t* queries, std::size_t stride, std::size_t words,
                     std::int32_t first, std::int32_t* values);

    /// Moves the values ≥ low to the front, in their order, and returns their number. Those of them below high are
    /// appended to undecided, which holds *undecided_count before and after. low ≤ high; count ≤ kRankBlock, and values
    /// and undecided have room for kRankBlock.
    std::size_t (*keep)(std::int32_t* values, std::size_t count, std::int32_t low, std::int32_t high,
                        std::int32_t* undecided, std::size_t* undecided_count);
};

/// The fastest variant this processor has, or the one that MF_EXT_KERNELS in the environment names.
const RankKernels& rank_kernels();

/// A named variant, for tests and benchmarks; null if this processor does not have it.
const RankKernels* rank_kernels_named(const char* name);

}  // namespace mf
