#include "core/evaluation/rank_kernels.hpp"

#include <cstring>

#include "core/base/variants.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace mf {
namespace {

void products_portable(const std::int16_t* codes, const std::int16_t* queries, std::size_t stride, std::size_t words,
                       std::int32_t first, std::int32_t* values) {
    for (std::size_t q = 0; q < kRankQueries; ++q, values += kRankBlock) {
        std::int32_t sums[kRankPanel] = {};
        for (std::size_t w = 0; w < words; ++w) {
            const std::int16_t* query = queries + q * stride + 2 * w;
            const std::int16_t* word = codes + w * 2 * kRankPanel;
            for (std::size_t i = 0; i < kRankPanel; ++i) sums[i] += query[0] * word[2 * i] + query[1] * word[2 * i + 1];
        }
        for (std::size_t i = 0; i < kRankPanel; ++i)
            values[i] = (sums[i] & ~kRankItemMask) | (first + static_cast<std::int32_t>(i));
    }
}

std::size_t keep_portable(std::int32_t* values, std::size_t count, std::int32_t low, std::int32_t high,
                          std::int32_t* undecided, std::size_t* undecided_count) {
    // No branches: which values stay is as good as random.
    std::size_t kept = 0, unsure = *undecided_count;
    for (std::size_t i = 0; i < count; ++i) {
        const std::int32_t value = values[i];
        values[kept] = value;
        kept += value >= low;
        if (value >= low && value < high) undecided[unsure++] = value;  // rare
    }
    *undecided_count = unsure;
    return kept;
}

constexpr RankKernels kPortable = {"portable", products_portable, keep_portable};

#if defined(__x86_64__)

std::int32_t word_at(const std::int16_t* query) {
    std::int32_t word;
    std::memcpy(&word, query, sizeof word);
    return word;
}

__attribute__((target("avx512f,avx512vnni"))) void products_avx512(const std::int16_t* codes,
                                                                   const std::int16_t* queries, std::size_t stride,
                                                                   std::size_t words, std::int32_t first,
                                                                   std::int32_t* values) {
    __m512i sums[kRankQueries][4];
    for (auto& query : sums)
        for (__m512i& sum : query) sum = _mm512_setzero_si512();
    for (std::size_t w = 0; w < words; ++w, codes += 2 * kRankPanel) {
        __m512i code[4];
#pragma GCC unroll 4
        for (int part = 0; part < 4; ++part) code[part] = _mm512_load_si512(codes + 32 * part);
#pragma GCC unroll 4
        for (std::size_t q = 0; q < kRankQueries; ++q) {
            const __m512i word = _mm512_set1_epi32(word_at(queries + q * stride + 2 * w));
#pragma GCC unroll 4
            for (int part = 0; part < 4; ++part) sums[q][part] = _mm512_dpwssd_epi32(sums[q][part], word, code[part]);
        }
    }
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i mask = _mm512_set1_epi32(~kRankItemMask);
#pragma GCC unroll 4
    for (int part = 0; part < 4; ++part) {
        const __m512i items = _mm512_add_epi32(lanes, _mm512_set1_epi32(first + 16 * part));
#pragma GCC unroll 4
        for (std::size_t q = 0; q < kRankQueries; ++q)
            _mm512_store_si512(values + q * kRankBlock + 16 * static_cast<std::size_t>(part),
                               _mm512_or_si512(_mm512_and_si512(sums[q][part], mask), items));
    }
}

__attribute__((target("avx512f,popcnt"))) std::size_t keep_avx512(std::int32_t* values, std::size_t count,
                                                                  std::int32_t low, std::int32_t high,
                                                                  std::int32_t* undecided,
                                                                  std::size_t* undecided_count) {
    const __m512i least = _mm512_set1_epi32(low), sure = _mm512_set1_epi32(high);
    std::size_t kept = 0, unsure = *undecided_count;
    for (std::size_t i = 0; i < count; i += 16) {
        const __m512i value = _mm512_load_si512(values + i);
        const auto here = static_cast<__mmask16>(count - i < 16 ? (1u << (count - i)) - 1 : 0xffffu);
        const __mmask16 reach = _mm512_mask_cmpge_epi32_mask(here, value, least);
        // Whole registers, which is quicker: what is overwritten beyond those kept was read before.
        _mm512_storeu_si512(values + kept, _mm512_maskz_compress_epi32(reach, value));
        kept += static_cast<std::size_t>(_mm_popcnt_u32(reach));
        const __mmask16 between = _mm512_mask_cmplt_epi32_mask(reach, value, sure);
        if (between != 0) {
            _mm512_mask_compressstoreu_epi32(undecided + unsure, between, value);
            unsure += static_cast<std::size_t>(_mm_popcnt_u32(between));
        }
    }
    *undecided_count = unsure;
    return kept;
}

// Sixteen items at a time: eight sums and what they need fill the sixteen registers.
__attribute__((target("avx2"))) void products_avx2(const std::int16_t* codes, const std::int16_t* queries,
                                                   std::size_t stride, std::size_t words, std::int32_t first,
                                                   std::int32_t* values) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i mask = _mm256_set1_epi32(~kRankItemMask);
    for (std::size_t item = 0; item < kRankPanel; item += 16) {
        __m256i sums[kRankQueries][2];
        for (auto& query : sums)
            for (__m256i& sum : query) sum = _mm256_setzero_si256();
        for (std::size_t w = 0; w < words; ++w) {
            const auto* word = reinterpret_cast<const __m256i*>(codes + w * 2 * kRankPanel + 2 * item);
            const __m256i code[2] = {_mm256_load_si256(word), _mm256_load_si256(word + 1)};
#pragma GCC unroll 4
            for (std::size_t q = 0; q < kRankQueries; ++q) {
                const __m256i query = _mm256_set1_epi32(word_at(queries + q * stride + 2 * w));
                sums[q][0] = _mm256_add_epi32(sums[q][0], _mm256_madd_epi16(query, code[0]));
                sums[q][1] = _mm256_add_epi32(sums[q][1], _mm256_madd_epi16(query, code[1]));
            }
        }
        for (int part = 0; part < 2; ++part) {
            const __m256i items =
                _mm256_add_epi32(lanes, _mm256_set1_epi32(first + static_cast<std::int32_t>(item) + 8 * part));
            for (std::size_t q = 0; q < kRankQueries; ++q)
                _mm256_store_si256(
                    reinterpret_cast<__m256i*>(values + q * kRankBlock + item + 8 * static_cast<std::size_t>(part)),
                    _mm256_or_si256(_mm256_and_si256(sums[q][part], mask), items));
        }
    }
}

constexpr RankKernels kAvx512 = {"avx512", products_avx512, keep_avx512};
constexpr RankKernels kAvx2 = {"avx2", products_avx2, keep_portable};

#endif

const RankKernels* variant(const char* name) {
    // It loses its way at the #if.
    // clang-format off
    return choose_variant<RankKernels>(
        {
#if defined(__x86_64__)
            {&kAvx512, has_avx512_vnni()}, {&kAvx2, has_avx2()},
#endif
            {&kPortable, true}},
        name);
    // clang-format on
}

}  // namespace

const RankKernels& rank_kernels() {
    static const RankKernels* const chosen = variant_in_use(variant);
    return *chosen;
}

const RankKernels* rank_kernels_named(const char* name) { return variant(name); }

}  // namespace mf
