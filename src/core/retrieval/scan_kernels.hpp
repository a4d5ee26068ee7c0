// The first pass of retrieval: products of a query with many items in 8-bit integers, compiled for several instruction
// sets and chosen once at run time. Integer sums are exact, so all variants give the same results.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mf {

/// Items scanned by one call.
inline constexpr std::size_t kScanItems = 64;

/// Most queries that one call scans for.
inline constexpr std::size_t kScanQueries = 4;

/// Greatest absolute value of a query's code minus kQueryZero. The sum of two products of codes fits into 16 bits, in
/// which the AVX2 variant adds them.
inline constexpr int kQueryRange = 63;
inline constexpr int kQueryZero = 64;
inline constexpr int kItemRange = 127;

/// The codes of a query, and the least sum with which an item is found.
struct ScanQuery {
    const std::uint8_t* codes;
    std::int32_t least;
};

struct ScanKernels {
    const char* name;  ///< "avx512", "avx2" or "portable"

    /// Bit i of masks[q], for `count` queries, 1 to kScanQueries: Σ_j queries[q].codes[j]·code(i, j) − corrections[i] ≥
    /// queries[q].least, over 4·words dimensions. code(i, j) is codes[(j/4)·4·kScanItems + 4·i + j%4]. codes and
    /// corrections are aligned to 64 bytes; a query's code is kQueryZero ± kQueryRange.
    void (*at_least)(const std::int8_t* codes, const std::int32_t* corrections, std::size_t words,
                     const ScanQuery* queries, std::size_t count, std::uint64_t* masks);
};

/// The fastest variant that this processor supports, or the one that MF_EXT_KERNELS in the environment names.
const ScanKernels& scan_kernels();

/// A named variant, for tests and benchmarks, or null if this processor does not have it; without a name the fastest.
const ScanKernels* scan_kernels_named(const char* name);

}  // namespace mf
