#include "core/retrieval/scan_kernels.hpp"

#include <gtest/gtest.h>

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
            Array<std::int8_t> codes(words * 4 * kScanItems);
            Array<std::uint8_t> query(words * 4);
            Array<std::int32_t> corrections(kScanItems);
            const auto code = [&](int range) {
                if (extreme) return random.next() % 4 == 0 ? -range : range;
                return static_cast<int>(random.next() % static_cast<std::uint64_t>(2 * range + 1)) - range;
            };
            for (std::int8_t& c : codes) c = static_cast<std::int8_t>(code(kItemRange));
            for (std::uint8_t& c : query) c = static_cast<std::uint8_t>(kQueryZero + code(kQueryRange));
            for (std::int32_t& c : corrections) c = static_cast<std::int32_t>(random.next() % 100000) - 50000;

            std::int64_t products[kScanItems];
            for (std::size_t i = 0; i < kScanItems; ++i) {
                products[i] = -corrections[i];
                for (std::size_t j = 0; j < 4 * words; ++j)
                    products[i] += query[j] * codes[j / 4 * 4 * kScanItems + 4 * i + j % 4];
            }
            for (const std::size_t probe : {0u, 7u, 40u, 63u}) {
                for (const int step : {-1, 0, 1}) {
                    const auto threshold = static_cast<std::int32_t>(products[probe] + step);
                    std::uint64_t expected = 0;
                    for (std::size_t i = 0; i < kScanItems; ++i)
                        expected |= static_cast<std::uint64_t>(products[i] >= threshold) << i;
                    EXPECT_EQ(kernels->at_least(codes.data(), query.data(), words, corrections.data(), threshold),
                              expected)
                        << words << " words, threshold " << threshold;
                }
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Variants, ScanKernelsTest, ::testing::Values("portable", "avx2", "avx512"));

TEST(ScanKernels, UnknownNameIsNull) { EXPECT_EQ(scan_kernels_named("abacus"), nullptr); }

}  // namespace
}  // namespace mf
