#include "core/retrieval/scan_kernels.hpp"

#include <cstring>

#include "core/base/variants.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace mf {
namespace {

void at_least_portable(const std::int8_t* codes, const std::int32_t* corrections, std::size_t words,
                       const ScanQuery* queries, std::size_t count, std::uint64_t* masks) {
    for (std::size_t q = 0; q < count; ++q) {
        std::int32_t sums[kScanItems];
        for (std::size_t i = 0; i < kScanItems; ++i) sums[i] = -corrections[i];
        const std::int8_t* word = codes;
        const std::uint8_t* query = queries[q].codes;
        for (std::size_t w = 0; w < words; ++w, word += 4 * kScanItems, query += 4)
            for (std::size_t i = 0; i < kScanItems; ++i)
                sums[i] += query[0] * word[4 * i] + query[1] * word[4 * i + 1] + query[2] * word[4 * i + 2] +
                           query[3] * word[4 * i + 3];
        masks[q] = 0;
        for (std::size_t i = 0; i < kScanItems; ++i)
            masks[q] |= static_cast<std::uint64_t>(sums[i] >= queries[q].least) << i;
    }
}

#if defined(__x86_64__)

std::int32_t word_at(const std::uint8_t* query) {
    std::int32_t word;
    std::memcpy(&word, query, sizeof word);
    return word;
}

// Sixteen independent sums for four queries hide the latency of an addition, and what is loaded serves them all.
template <std::size_t kQueries>
__attribute__((target("avx512f,avx512vnni"))) void at_least_avx512_of(const std::int8_t* codes,
                                                                      const std::int32_t* corrections,
                                                                      std::size_t words, const ScanQuery* queries,
                                                                      std::uint64_t* masks) {
    constexpr std::size_t kParts = 4;
    __m512i sums[kQueries][kParts];
#pragma GCC unroll 4
    for (std::size_t q = 0; q < kQueries; ++q)
#pragma GCC unroll 4
        for (std::size_t part = 0; part < kParts; ++part) sums[q][part] = _mm512_setzero_si512();
    for (std::size_t w = 0; w < words; ++w, codes += 4 * kScanItems) {
        __m512i code[kParts];
#pragma GCC unroll 4
        for (std::size_t part = 0; part < kParts; ++part) code[part] = _mm512_load_si512(codes + 64 * part);
#pragma GCC unroll 4
        for (std::size_t q = 0; q < kQueries; ++q) {
            const __m512i word = _mm512_set1_epi32(word_at(queries[q].codes + 4 * w));
#pragma GCC unroll 4
            for (std::size_t part = 0; part < kParts; ++part)
                sums[q][part] = _mm512_dpbusd_epi32(sums[q][part], word, code[part]);
        }
    }
#pragma GCC unroll 4
    for (std::size_t q = 0; q < kQueries; ++q) {
        const __m512i least = _mm512_set1_epi32(queries[q].least);
        masks[q] = 0;
#pragma GCC unroll 4
        for (std::size_t part = 0; part < kParts; ++part) {
            const __m512i sum = _mm512_sub_epi32(sums[q][part], _mm512_load_si512(corrections + 16 * part));
            masks[q] |= static_cast<std::uint64_t>(_mm512_cmpge_epi32_mask(sum, least)) << (16 * part);
        }
    }
}

void at_least_avx512(const std::int8_t* codes, const std::int32_t* corrections, std::size_t words,
                     const ScanQuery* queries, std::size_t count, std::uint64_t* masks) {
    constexpr decltype(&at_least_avx512_of<1>) kOf[kScanQueries] = {at_least_avx512_of<1>, at_least_avx512_of<2>,
                                                                    at_least_avx512_of<3>, at_least_avx512_of<4>};
    kOf[count - 1](codes, corrections, words, queries, masks);
}

// The arithmetic takes longer here than the loads, and one query has enough independent sums.
__attribute__((target("avx2"))) std::uint64_t at_least_avx2_of_one(const std::int8_t* codes,
                                                                   const std::int32_t* corrections, std::size_t words,
                                                                   const ScanQuery& query) {
    __m256i sums[8];
    for (__m256i& sum : sums) sum = _mm256_setzero_si256();
    const __m256i ones = _mm256_set1_epi16(1);
    for (std::size_t w = 0; w < words; ++w, codes += 4 * kScanItems) {
        const __m256i word = _mm256_set1_epi32(word_at(query.codes + 4 * w));
#pragma GCC unroll 8
        for (int part = 0; part < 8; ++part) {
            const __m256i code = _mm256_load_si256(reinterpret_cast<const __m256i*>(codes + 32 * part));
            const __m256i pairs = _mm256_maddubs_epi16(word, code);
            sums[part] = _mm256_add_epi32(sums[part], _mm256_madd_epi16(pairs, ones));
        }
    }
    // a ≥ b is not (b > a).
    const __m256i least = _mm256_set1_epi32(query.least);
    std::uint64_t mask = 0;
#pragma GCC unroll 8
    for (int part = 0; part < 8; ++part) {
        const __m256i correction = _mm256_load_si256(reinterpret_cast<const __m256i*>(corrections + 8 * part));
        const __m256i below = _mm256_cmpgt_epi32(least, _mm256_sub_epi32(sums[part], correction));
        const auto bits = static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(below)));
        mask |= static_cast<std::uint64_t>(~bits & 0xffu) << (8 * part);
    }
    return mask;
}

void at_least_avx2(const std::int8_t* codes, const std::int32_t* corrections, std::size_t words,
                   const ScanQuery* queries, std::size_t count, std::uint64_t* masks) {
    for (std::size_t q = 0; q < count; ++q) masks[q] = at_least_avx2_of_one(codes, corrections, words, queries[q]);
}

constexpr ScanKernels kAvx512 = {"avx512", at_least_avx512};
constexpr ScanKernels kAvx2 = {"avx2", at_least_avx2};
#else
constexpr ScanKernels kAvx512{}, kAvx2{};
#endif

constexpr ScanKernels kPortable = {"portable", at_least_portable};

}  // namespace

const ScanKernels* scan_kernels_named(const char* name) {
    const bool avx512 = MF_CPU_HAS("avx512f") && MF_CPU_HAS("avx512vnni");
    return choose_variant<ScanKernels>({{&kAvx512, avx512}, {&kAvx2, MF_CPU_HAS("avx2")}, {&kPortable, true}}, name);
}

const ScanKernels& scan_kernels() {
    static const ScanKernels* const chosen = variant_in_use(scan_kernels_named);
    return *chosen;
}

}  // namespace mf
