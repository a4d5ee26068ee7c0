#include "core/retrieval/scan_kernels.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "core/base/array.hpp"
#include "core/base/random.hpp"

namespace mf {
namespace {

class ScanKernelsTest : public ::testing::TestWithParam<const char*> {};

TEST_P(ScanKernelsTest, ComparesTheProductsOfCodes) {
    const ScanKernels* kernels = scan_kernels_named(GetParam());
    if (kernels == nullptr) GTEST_SKIP() << "this processor has no " << GetParam();
    for (const std::size_t words : {1u, 4u, 16u, 33u, 256u}) {
        for (const bool extreme : {false, true}) {
            Random random(words);
            const auto code = [&](int range) {
                if (extreme) return random.next() % 4 == 0 ? -range : range;
                return static_cast<int>(random.next() % static_cast<std::uint64_t>(2 * range + 1)) - range;
            };
            Array<std::int8_t> codes(words * 4 * kScanItems);
            Array<std::int32_t> corrections(kScanItems);
            for (std::int8_t& c : codes) c = static_cast<std::int8_t>(code(kItemRange));
            for (std::int32_t& c : corrections) c = static_cast<std::int32_t>(random.next() % 100000) - 50000;
            std::vector<std::uint8_t> query_codes[kScanQueries];
            std::int64_t products[kScanQueries][kScanItems];
            for (std::size_t q = 0; q < kScanQueries; ++q) {
                for (std::size_t j = 0; j < 4 * words; ++j)
                    query_codes[q].push_back(static_cast<std::uint8_t>(kQueryZero + code(kQueryRange)));
                for (std::size_t i = 0; i < kScanItems; ++i) {
                    products[q][i] = -corrections[i];
                    for (std::size_t j = 0; j < 4 * words; ++j)
                        products[q][i] += query_codes[q][j] * codes[j / 4 * 4 * kScanItems + 4 * i + j % 4];
                }
            }
            for (std::size_t count = 1; count <= kScanQueries; ++count) {
                for (const std::size_t probe : {0u, 7u, 40u, 63u}) {
                    for (const int step : {-1, 0, 1}) {
                        ScanQuery queries[kScanQueries];
                        std::uint64_t masks[kScanQueries] = {}, expected[kScanQueries] = {};
                        for (std::size_t q = 0; q < count; ++q) {
                            queries[q] = {query_codes[q].data(),
                                          static_cast<std::int32_t>(products[q][(probe + q) % kScanItems] + step)};
                            for (std::size_t i = 0; i < kScanItems; ++i)
                                expected[q] |= static_cast<std::uint64_t>(products[q][i] >= queries[q].least) << i;
                        }
                        kernels->at_least(codes.data(), corrections.data(), words, queries, count, masks);
                        for (std::size_t q = 0; q < kScanQueries; ++q)
                            EXPECT_EQ(masks[q], expected[q])
                                << words << " words, query " << q << " of " << count << ", item " << probe << step;
                    }
                }
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Variants, ScanKernelsTest, ::testing::Values("portable", "avx2", "avx512"));

TEST(ScanKernels, UnknownNameIsNull) { EXPECT_EQ(scan_kernels_named("abacus"), nullptr); }

}  // namespace
}  // namespace mf
