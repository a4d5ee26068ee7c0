#include "core/evaluation/rank_kernels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/base/array.hpp"
#include "core/base/random.hpp"

namespace mf {
namespace {

class RankKernelsTest : public ::testing::TestWithParam<const char*> {
  protected:
    void SetUp() override {
        kernels_ = rank_kernels_named(GetParam());
        if (kernels_ == nullptr) GTEST_SKIP() << "this processor has no " << GetParam();
    }
    const RankKernels* kernels_ = nullptr;
};

// Codes as they occur, and the greatest that the norm allows, of all signs.
TEST_P(RankKernelsTest, Products) {
    for (const std::size_t words : {1u, 8u, 33u, 512u}) {
        for (const bool extreme : {false, true}) {
            Random random(words);
            const double greatest = std::min(kRankRange, kRankNorm / std::sqrt(2.0 * static_cast<double>(words)));
            const int range = extreme ? static_cast<int>(greatest) : 100;
            const auto code = [&] {
                if (extreme) return static_cast<std::int16_t>(random.next() % 4 == 0 ? -range : range);
                return static_cast<std::int16_t>(static_cast<int>(random.next() % 201) - 100);
            };
            const std::size_t stride = 2 * words + 32;
            Array<std::int16_t> codes(words * 2 * kRankPanel), queries(kRankQueries * stride);
            std::generate(codes.begin(), codes.end(), code);
            std::generate(queries.begin(), queries.end(), code);
            constexpr std::size_t kFirst = 7 * kRankPanel;
            Array<std::int32_t> values(kRankQueries * kRankBlock, 17);
            kernels_->products(codes.data(), queries.data(), stride, words, kFirst, values.data() + kFirst);
            for (std::size_t q = 0; q < kRankQueries; ++q) {
                for (std::size_t i = 0; i < kRankPanel; ++i) {
                    std::int64_t sum = 0;
                    for (std::size_t j = 0; j < 2 * words; ++j)
                        sum += std::int64_t{queries[q * stride + j]} * codes[j / 2 * 2 * kRankPanel + 2 * i + j % 2];
                    const std::int32_t value = values[q * kRankBlock + kFirst + i];
                    EXPECT_EQ(value & kRankItemMask, static_cast<std::int32_t>(kFirst + i));
                    EXPECT_EQ(value - (value & kRankItemMask), sum - (sum & kRankItemMask)) << words << " words";
                }
                EXPECT_EQ(values[q * kRankBlock + kFirst - 1], 17);
                EXPECT_EQ(values[q * kRankBlock + kFirst + kRankPanel], 17);
            }
        }
    }
}

TEST_P(RankKernelsTest, Keep) {
    Random random(3);
    for (const std::size_t count : {0u, 1u, 15u, 16u, 17u, 1000u, 1024u}) {
        for (const std::int32_t low : {-200, -20, 0, 60, 200}) {
            const std::int32_t high = low + 30;
            Array<std::int32_t> values(kRankBlock), undecided(kRankBlock + 2, 0);
            for (std::int32_t& value : values) value = static_cast<std::int32_t>(random.next() % 200) - 100;
            if (count > 3) values[3] = std::numeric_limits<std::int32_t>::min();
            std::vector<std::int32_t> expected, between{5, 6};
            for (std::size_t i = 0; i < count; ++i) {
                if (values[i] >= low) expected.push_back(values[i]);
                if (values[i] >= low && values[i] < high) between.push_back(values[i]);
            }
            undecided[0] = 5, undecided[1] = 6;
            std::size_t unsure = 2;
            const std::size_t kept = kernels_->keep(values.data(), count, low, high, undecided.data(), &unsure);
            EXPECT_EQ(std::vector<std::int32_t>(values.begin(), values.begin() + kept), expected);
            EXPECT_EQ(std::vector<std::int32_t>(undecided.begin(), undecided.begin() + unsure), between);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Variants, RankKernelsTest, ::testing::Values("portable", "avx2", "avx512"));

TEST(RankKernels, UnknownNameIsNull) { EXPECT_EQ(rank_kernels_named("abacus"), nullptr); }

}  // namespace
}  // namespace mf
