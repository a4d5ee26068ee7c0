// Every kernel of every variant this machine has, against a plain loop in double precision, at awkward sizes.
#include "core/linalg/kernels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "core/base/array.hpp"
#include "core/base/half_floats.hpp"
#include "core/base/random.hpp"
#include "core/base/sums.hpp"

namespace mf {
namespace {

Array<float> random_floats(std::size_t size, std::uint64_t seed) {
    Array<float> result(size);
    Random random(seed);
    for (float& value : result) value = static_cast<float>(random.normal());
    return result;
}

float& system_at(Array<float>& system, std::size_t blocks, std::size_t i, std::size_t j) {
    return system[j / kLanes * system_stride(blocks) + i * kLanes + j % kLanes];
}

float panel_at(const Array<float>& panel, std::size_t t, std::size_t j) {
    return panel[j / kLanes * kPanelStride + t * kLanes + j % kLanes];
}

// XᵀX + I for a random X: positive definite, with a plain copy in double.
struct TestSystem {
    std::size_t blocks;
    std::size_t size;
    Array<float> system;
    std::vector<double> plain;

    explicit TestSystem(std::size_t blocks_in)
        : blocks(blocks_in), size(blocks * kLanes), system(system_size(blocks), 0.0f), plain(size * size) {
        const std::size_t rows = size / 2 + 3;
        const Array<float> x = random_floats(rows * size, blocks);
        for (std::size_t i = 0; i < size; ++i)
            for (std::size_t j = i; j < size; ++j) {
                double sum = i == j ? 1.0 : 0.0;
                for (std::size_t r = 0; r < rows; ++r)
                    sum += static_cast<double>(x[r * size + i]) * static_cast<double>(x[r * size + j]);
                plain[i * size + j] = plain[j * size + i] = sum;
            }
        // The whole diagonal tiles are used.
        for (std::size_t i = 0; i < size; ++i)
            for (std::size_t j = i / kLanes * kLanes; j < size; ++j)
                system_at(system, blocks, i, j) = static_cast<float>(plain[i * size + j]);
    }
};

class KernelsTest : public testing::TestWithParam<const char*> {
  protected:
    void SetUp() override {
        kernel_ = kernels_named(GetParam());
        if (kernel_ == nullptr) GTEST_SKIP() << "this processor has no " << GetParam();
    }
    const Kernels* kernel_ = nullptr;
};

INSTANTIATE_TEST_SUITE_P(Variants, KernelsTest, testing::Values("portable", "avx2", "avx512"),
                         [](const auto& info) { return std::string(info.param); });

constexpr std::size_t kBlockCounts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 16};
constexpr std::size_t kRowCounts[] = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 63, 64};

TEST_P(KernelsTest, GatherScalesRowsIntoThePanel) {
    for (const std::size_t blocks : kBlockCounts) {
        const std::size_t stride = blocks * kLanes;
        constexpr std::size_t kRows = 100;
        const Array<float> rows = random_floats(kRows * stride, 1);
        const Array<float> scales = random_floats(kPanelRows, 2);
        std::vector<std::uint32_t> indices(kPanelRows);
        for (std::size_t t = 0; t < kPanelRows; ++t) indices[t] = static_cast<std::uint32_t>(t * 37 % kRows);
        for (const std::size_t count : kRowCounts) {
            Array<float> panel(panel_size(blocks), 7.0f);
            // Exactly as long as it says, so that a sanitizer sees a prefetch index read past its end.
            const std::vector<std::uint32_t> readable(indices.begin(),
                                                      indices.begin() + static_cast<std::ptrdiff_t>(count));
            kernel_->gather(rows.data(), stride, readable.data(), count, count, scales.data(), blocks, panel.data());
            for (std::size_t t = 0; t < kPanelRows; ++t)
                for (std::size_t j = 0; j < stride; ++j)
                    ASSERT_EQ(panel_at(panel, t, j), t < count ? rows[indices[t] * stride + j] * scales[t] : 7.0f);
        }
    }
}

TEST_P(KernelsTest, GatherColumnsTransposesScaledRows) {
    for (const std::size_t blocks : kBlockCounts) {
        const std::size_t stride = blocks * kLanes;
        constexpr std::size_t kRows = 100;
        const Array<float> rows = random_floats(kRows * stride, 1);
        const Array<float> element_scales = random_floats(stride, 2);
        for (const std::size_t count : {1, 3, 4, 5, 8, 9, 15, 16, 17, 63, 64, 65, 130}) {
            const Array<float> scales = random_floats(count, 3);
            std::vector<std::uint32_t> indices(count);  // exactly as long as it says, as above
            for (std::size_t j = 0; j < count; ++j) indices[j] = static_cast<std::uint32_t>(j * 37 % kRows);
            const std::size_t column_blocks = (count + kLanes - 1) / kLanes;
            const std::size_t panels = (stride + kPanelRows - 1) / kPanelRows;
            Array<float> out(panels * panel_size(column_blocks), 7.0f);
            kernel_->gather_columns(rows.data(), stride, indices.data(), count, count, scales.data(),
                                    element_scales.data(), blocks, out.data());
            for (std::size_t t = 0; t < panels * kPanelRows; ++t)
                for (std::size_t j = 0; j < column_blocks * kLanes; ++j) {
                    const float value = out[t / kPanelRows * panel_size(column_blocks) + j / kLanes * kPanelStride +
                                            t % kPanelRows * kLanes + j % kLanes];
                    if (t >= stride)
                        ASSERT_EQ(value, 7.0f);
                    else if (j >= count)
                        ASSERT_EQ(value, 0.0f);
                    else
                        ASSERT_EQ(value, rows[indices[j] * stride + t] * scales[j] * element_scales[t])
                            << count << ' ' << t << ' ' << j;
                }
        }
    }
}

TEST_P(KernelsTest, ToHalvesRoundsNormalNumbersAndDropsSmallerOnes) {
    constexpr float kScale = 4.0f, kSmallest = 0x1.0p-14f;
    Array<float> values = random_floats(5 * kLanes, 1);
    // Ties to both sides, the largest, and the two sides of the smallest normal number.
    const float special[] = {0.0f,           -0.0f,        1 + 0x1.0p-11f,
                             1 + 0x1.8p-10f, kLargestHalf, -kLargestHalf,
                             kSmallest,      -kSmallest,   std::nextafter(kSmallest, 0.0f),
                             1e-40f,         -1e-30f,      1.5f * kSmallest};
    for (std::size_t i = 0; i < std::size(special); ++i) values[i] = special[i] / kScale;
    Array<std::uint16_t> halves(values.size());
    kernel_->to_halves(values.data(), 5, kScale, halves.data());
    for (std::size_t i = 0; i < values.size(); ++i) {
        const float value = values[i] * kScale;
        EXPECT_EQ(halves[i], std::abs(value) < kSmallest ? 0 : to_half(value)) << value;
    }
}

TEST_P(KernelsTest, ToBfloat16RoundsBothNumbersOfAWordToTheNearest) {
    constexpr std::size_t kRows = 40;
    constexpr float kScale = 4.0f;
    for (const std::size_t blocks : {1u, 2u, 3u, 5u}) {
        Array<float> values = random_floats(kRows * blocks * kLanes, blocks);
        // All kinds of numbers beside all kinds of numbers: zeros, ties, the two sides of what is dropped.
        const float special[] = {0.0f,   -0.0f,      1.0f,        1 + 0x1.0p-8f,   1 + 0x1.8p-7f,
                                 -2.0f,  0x1.0p-64f, -0x1.0p-64f, 0x1.fffffep-65f, 1e-40f,
                                 1e-30f, 0x1.fep62f, 0x1.ffp60f};
        Random random(blocks);
        for (std::size_t i = 0; i < values.size() / 2; ++i)
            values[i] = special[random.next() % std::size(special)] / kScale;
        Array<std::uint32_t> words(kRows * bfloat16_words(blocks), 0xffffffffu);
        kernel_->to_bfloat16(values.data(), kRows, blocks, kScale, words.data());
        const Bfloat16Rows rows{words.data(), 1 / kScale};
        for (std::size_t r = 0; r < kRows; ++r)
            for (std::size_t j = 0; j < blocks * kLanes; ++j) {
                const float value = values[r * blocks * kLanes + j];
                ASSERT_NEAR(rows.at(blocks, r, j), value, 0x1.0p-8f * std::abs(value) + 0x1.0p-62f / kScale)
                    << blocks << ' ' << r << ' ' << j;
            }
        // What pads a row is in the lower halves, and zero.
        Array<float> zeros(kRows * blocks * kLanes, 0.0f);
        kernel_->to_bfloat16(zeros.data(), kRows, blocks, kScale, words.data());
        for (const std::uint32_t word : words) ASSERT_EQ(word, 0u);
        for (std::size_t i = 0; i < zeros.size(); ++i)
            if (i / kLanes % blocks + 1 < blocks) zeros[i] = 1.0f;
        kernel_->to_bfloat16(zeros.data(), kRows, blocks, kScale, words.data());
        for (std::size_t r = 0; r < kRows; ++r)
            for (std::size_t j = (blocks - 1) * kLanes; j < blocks * kLanes; ++j)
                ASSERT_EQ(rows.at(blocks, r, j), 0.0f);
    }
}

TEST_P(KernelsTest, AddBfloat16Rows) {
    constexpr std::size_t kRows = 90;
    for (const std::size_t blocks : {1u, 2u, 3u, 4u, 5u, 6u, 8u, 16u, 17u, 21u}) {
        const std::size_t stride = blocks * kLanes;
        Array<float> rows = random_floats(kRows * stride, 1);
        for (std::size_t i = 0; i < rows.size(); i += 7) rows[i] = 0.0f;
        Array<std::uint32_t> words(kRows * bfloat16_words(blocks));
        kernel_->to_bfloat16(rows.data(), kRows, blocks, 1024.0f, words.data());
        const Bfloat16Rows matrix{words.data(), 0x1.0p-9f};
        const auto row_at = [&](std::size_t r, std::size_t j) { return static_cast<double>(matrix.at(blocks, r, j)); };
        const Array<float> vector = random_floats(stride, 3);
        const Array<float> some_weights = random_floats(kRows + 1, 4);
        const float* const weights = some_weights.data() + 1;
        for (const std::size_t count : {0u, 1u, 2u, 7u, 8u, 9u, 15u, 16u, 17u, 33u, 90u})
            for (const float target : {1.0f, 0.0f}) {
                // Exactly as long as it says, so that a sanitizer sees a prefetch index read past its end.
                std::vector<std::uint32_t> indices(count);
                for (std::size_t t = 0; t < count; ++t) indices[t] = static_cast<std::uint32_t>(t * 37 % kRows);
                Array<float> sum(stride, 0.5f);
                const float squares = kernel_->add_bfloat16_rows(matrix, indices.data(), count, count, weights, target,
                                                                 blocks, vector.data(), sum.data());
                std::vector<double> expected(stride, 0.5);
                std::vector<double> magnitude(stride, 1.0);
                double expected_squares = 0, all_squares = 1;
                for (std::size_t t = 0; t < count; ++t) {
                    double residual = weights[t] < 0 ? 0.0 : static_cast<double>(target), terms = 1;
                    for (std::size_t j = 0; j < stride; ++j) {
                        const double product = row_at(indices[t], j) * static_cast<double>(vector[j]);
                        residual -= product;
                        terms += std::abs(product);
                    }
                    const double weight = std::abs(static_cast<double>(weights[t]));
                    expected_squares += weight * residual * residual;
                    all_squares += weight * terms * terms;
                    for (std::size_t j = 0; j < stride; ++j) {
                        expected[j] += weight * residual * row_at(indices[t], j);
                        magnitude[j] += std::abs(weight * row_at(indices[t], j)) * terms;
                    }
                }
                ASSERT_NEAR(squares, expected_squares, 1e-6 * all_squares) << blocks << ' ' << count;
                for (std::size_t j = 0; j < stride; ++j)
                    ASSERT_NEAR(sum[j], expected[j], 1e-6 * magnitude[j]) << blocks << ' ' << count << ' ' << j;
            }
    }
}

TEST_P(KernelsTest, AddBfloat16Residuals) {
    constexpr std::size_t kRows = 90;
    for (const std::size_t blocks : {1u, 2u, 3u, 4u, 5u, 8u, 14u, 17u}) {
        const std::size_t stride = blocks * kLanes;
        const Array<float> rows = random_floats(kRows * stride, 1);
        Array<std::uint32_t> words(kRows * bfloat16_words(blocks));
        kernel_->to_bfloat16(rows.data(), kRows, blocks, 1024.0f, words.data());
        const Bfloat16Rows matrix{words.data(), 0x1.4p-9f};
        const Array<float> vector = random_floats(stride, 3);
        const Array<float> some_targets = random_floats(kRows + 1, 4);
        const float* const targets = some_targets.data() + 1;
        for (const std::size_t count : {0u, 1u, 7u, 8u, 15u, 16u, 17u, 33u, 90u}) {
            std::vector<std::uint32_t> indices(count);
            for (std::size_t t = 0; t < count; ++t) indices[t] = static_cast<std::uint32_t>(t * 37 % kRows);
            Array<float> sum(stride, 0.5f), row_sum(stride, -0.5f);
            const Bfloat16Sums sums = kernel_->add_bfloat16_residuals(
                matrix, indices.data(), count, count, targets, blocks, vector.data(), sum.data(), row_sum.data());
            std::vector<double> expected(stride, 0.5), expected_rows(stride, -0.5), magnitude(stride, 1.0);
            double residuals = 0, squares = 0, all_terms = 1, all_squares = 1;
            for (std::size_t t = 0; t < count; ++t) {
                const auto row_at = [&](std::size_t j) {
                    return static_cast<double>(matrix.at(blocks, indices[t], j));
                };
                double residual = static_cast<double>(targets[t]), terms = std::abs(residual);
                for (std::size_t j = 0; j < stride; ++j) {
                    const double product = row_at(j) * static_cast<double>(vector[j]);
                    residual -= product;
                    terms += std::abs(product);
                }
                residuals += residual;
                squares += residual * residual;
                all_terms += terms;
                all_squares += terms * terms;
                for (std::size_t j = 0; j < stride; ++j) {
                    expected[j] += residual * row_at(j);
                    expected_rows[j] += row_at(j);
                    magnitude[j] += std::abs(row_at(j)) * (terms + 1);
                }
            }
            ASSERT_NEAR(sums.residuals, residuals, 1e-6 * all_terms) << blocks << ' ' << count;
            ASSERT_NEAR(sums.squares, squares, 1e-6 * all_squares) << blocks << ' ' << count;
            for (std::size_t j = 0; j < stride; ++j) {
                ASSERT_NEAR(sum[j], expected[j], 1e-6 * magnitude[j]) << blocks << ' ' << count << ' ' << j;
                ASSERT_NEAR(row_sum[j], expected_rows[j], 1e-6 * magnitude[j]) << blocks << ' ' << count << ' ' << j;
            }
        }
    }
}

TEST_P(KernelsTest, AddOuterProducts) {
    for (const std::size_t blocks : kBlockCounts) {
        const Array<float> panel = random_floats(panel_size(blocks), 3);
        for (const std::size_t count : kRowCounts) {
            Array<float> system = random_floats(system_size(blocks), 4);
            Array<float> before = random_floats(system_size(blocks), 4);
            kernel_->add_outer_products(panel.data(), count, blocks, system.data(), {});
            for (std::size_t i = 0; i < blocks * kLanes; ++i)
                for (std::size_t j = 0; j < blocks * kLanes; ++j) {
                    double sum = static_cast<double>(system_at(before, blocks, i, j));
                    if (j / kLanes >= i / kLanes)
                        for (std::size_t t = 0; t < count; ++t)
                            sum +=
                                static_cast<double>(panel_at(panel, t, i)) * static_cast<double>(panel_at(panel, t, j));
                    ASSERT_NEAR(system_at(system, blocks, i, j), sum, 1e-4) << blocks << ' ' << count;
                }
        }
    }
}

TEST_P(KernelsTest, AddCombination) {
    for (const std::size_t blocks : kBlockCounts) {
        const Array<float> panel = random_floats(panel_size(blocks), 3);
        const Array<float> coefficients = random_floats(kPanelRows, 5);
        for (const std::size_t count : kRowCounts) {
            Array<float> vector(blocks * kLanes, 1.0f);
            kernel_->add_combination(panel.data(), count, blocks, coefficients.data(), vector.data());
            for (std::size_t j = 0; j < blocks * kLanes; ++j) {
                double sum = 1.0;
                for (std::size_t t = 0; t < count; ++t)
                    sum += static_cast<double>(coefficients[t]) * static_cast<double>(panel_at(panel, t, j));
                ASSERT_NEAR(vector[j], sum, 1e-4);
            }
        }
    }
}

TEST_P(KernelsTest, SubtractProducts) {
    for (const std::size_t blocks : kBlockCounts) {
        const Array<float> panel = random_floats(panel_size(blocks), 3);
        const Array<float> vector = random_floats(blocks * kLanes, 6);
        const Array<float> targets = random_floats(kPanelRows, 7);
        for (const std::size_t count : kRowCounts) {
            Array<float> residuals(kPanelRows, 5.0f);
            kernel_->subtract_products(panel.data(), count, blocks, vector.data(), targets.data(), residuals.data());
            for (std::size_t t = 0; t < kPanelRows; ++t) {
                double sum = t < count ? static_cast<double>(targets[t]) : 0.0;
                for (std::size_t j = 0; t < count && j < blocks * kLanes; ++j)
                    sum -= static_cast<double>(panel_at(panel, t, j)) * static_cast<double>(vector[j]);
                const bool untouched = t >= (count + kLanes - 1) / kLanes * kLanes;
                ASSERT_NEAR(residuals[t], untouched ? 5.0 : sum, 1e-4) << blocks << ' ' << count << ' ' << t;
            }
        }
    }
}

// Cholesky solve: the residual of A·x = b in double is small against |A|·|x|.
TEST_P(KernelsTest, FactorizeAndSolve) {
    for (const std::size_t blocks : kBlockCounts) {
        TestSystem test(blocks);
        ASSERT_TRUE(kernel_->factorize(test.system.data(), blocks, 1e-7f));
        Array<float> right = random_floats(test.size, 6);
        Array<float> x(test.size);
        std::memcpy(x.data(), right.data(), test.size * sizeof(float));
        kernel_->solve_lower(test.system.data(), blocks, x.data());
        double explained = 0;
        for (const float value : x) explained += static_cast<double>(value) * static_cast<double>(value);
        kernel_->solve_upper(test.system.data(), blocks, x.data());
        double product = 0;
        for (std::size_t i = 0; i < test.size; ++i) {
            double residual = -static_cast<double>(right[i]);
            double magnitude = std::abs(residual);
            for (std::size_t j = 0; j < test.size; ++j) {
                const double term = test.plain[i * test.size + j] * static_cast<double>(x[j]);
                residual += term;
                magnitude += std::abs(term);
            }
            ASSERT_LT(std::abs(residual), 3e-6 * magnitude) << blocks << ' ' << i;
            product += static_cast<double>(right[i]) * static_cast<double>(x[i]);
        }
        EXPECT_NEAR(explained, product, 1e-4 * std::abs(product));
    }
}

TEST_P(KernelsTest, FactorizeRefusesWhatIsNotPositiveDefinite) {
    for (const std::size_t blocks : {1, 2, 5})
        for (const std::size_t bad : {std::size_t{0}, std::size_t{15}, blocks * kLanes - 1}) {
            for (const float value : {0.0f, -1.0f, std::nanf("")}) {
                TestSystem test(blocks);
                system_at(test.system, blocks, bad, bad) = value;
                EXPECT_FALSE(kernel_->factorize(test.system.data(), blocks, 1e-7f)) << blocks << ' ' << bad;
            }
            // Two equal columns: singular.
            if (bad == 0) continue;
            TestSystem test(blocks);
            for (std::size_t i = 0; i < test.size; ++i) {
                system_at(test.system, blocks, i, bad) = static_cast<float>(test.plain[i * test.size]);
                system_at(test.system, blocks, bad, i) = static_cast<float>(test.plain[i]);
            }
            system_at(test.system, blocks, bad, bad) = static_cast<float>(test.plain[0]);
            EXPECT_FALSE(kernel_->factorize(test.system.data(), blocks, 1e-6f)) << blocks << ' ' << bad;
        }
}

TEST_P(KernelsTest, Dot) {
    for (const std::size_t blocks : kBlockCounts) {
        const Array<float> a = random_floats(blocks * kLanes, 7);
        const Array<float> b = random_floats(blocks * kLanes, 8);
        double sum = 0;
        for (std::size_t j = 0; j < a.size(); ++j) sum += static_cast<double>(a[j]) * static_cast<double>(b[j]);
        EXPECT_NEAR(kernel_->dot(a.data(), b.data(), blocks), sum, 1e-4);
    }
}

TEST_P(KernelsTest, VectorsElementByElement) {
    for (const std::size_t blocks : kBlockCounts) {
        const std::size_t size = blocks * kLanes;
        const Array<float> a = random_floats(size, 7), b = random_floats(size, 8);
        Array<float> inverse(size), product(size), diagonal(size), sum(size), other(size);
        kernel_->add_ridge(a.data(), 9.0f, blocks, diagonal.data(), inverse.data());
        const float preconditioned = kernel_->precondition(inverse.data(), b.data(), blocks, product.data());
        const float square = kernel_->weighted_square(b.data(), inverse.data(), blocks);
        Array<float> scaled(size);
        kernel_->multiply_elements(-0.5f, a.data(), b.data(), blocks, scaled.data());
        std::copy_n(a.data(), size, sum.data());
        kernel_->add_scaled(0.25f, b.data(), blocks, sum.data());
        std::copy_n(a.data(), size, other.data());
        kernel_->scale_and_add(0.25f, b.data(), blocks, other.data());
        double expected = 0, expected_square = 0;
        for (std::size_t i = 0; i < size; ++i) {
            ASSERT_EQ(diagonal[i], a[i] + 9.0f);
            ASSERT_EQ(inverse[i], 1.0f / diagonal[i]);
            ASSERT_EQ(product[i], inverse[i] * b[i]);
            ASSERT_FLOAT_EQ(scaled[i], -0.5f * a[i] * b[i]);
            ASSERT_NEAR(sum[i], a[i] + 0.25f * b[i], 1e-6);
            ASSERT_NEAR(other[i], b[i] + 0.25f * a[i], 1e-6);
            expected += static_cast<double>(b[i]) * static_cast<double>(product[i]);
            expected_square += static_cast<double>(b[i]) * static_cast<double>(b[i]) * static_cast<double>(diagonal[i]);
        }
        EXPECT_NEAR(preconditioned, expected, 1e-5 * expected);
        EXPECT_NEAR(square, expected_square, 1e-5 * expected_square);
    }
}

TEST_P(KernelsTest, SumOfMagnitudes) {
    const Array<float> values = random_floats(200, 7);
    for (const std::size_t count : {0u, 1u, 7u, 8u, 9u, 16u, 17u, 190u})
        for (const std::size_t first : {0u, 1u, 3u}) {
            std::vector<float> some(values.begin() + first, values.begin() + first + count);  // as long as it says
            double sum = 0;
            for (const float value : some) sum += std::abs(static_cast<double>(value));
            EXPECT_NEAR(kernel_->sum_of_magnitudes(some.data(), count), sum, 1e-13 * sum);
            // Of values that are not negative it has the bits of their sum.
            for (float& value : some) value = std::abs(value);
            EXPECT_EQ(kernel_->sum_of_magnitudes(some.data(), count), sum_of(some));
        }
}

TEST_P(KernelsTest, Multiply) {
    for (const std::size_t blocks : {1u, 2u, 3u, 4u, 5u, 7u})
        for (const std::size_t count : {0u, 1u, 16u, 70u}) {
            const std::size_t stride = (count + 1) * kLanes;
            const Array<float> rows = random_floats(stride, 7), columns = random_floats(blocks * stride, 8);
            Array<float> products(blocks * kTile, 5.0f);
            kernel_->multiply(rows.data(), columns.data(), stride, count, blocks, products.data());
            for (std::size_t r = 0; r < kLanes; ++r)
                for (std::size_t c = 0; c < blocks * kLanes; ++c) {
                    double sum = 0;
                    for (std::size_t t = 0; t < count; ++t)
                        sum += static_cast<double>(rows[t * kLanes + r]) *
                               static_cast<double>(columns[c / kLanes * stride + t * kLanes + c % kLanes]);
                    EXPECT_NEAR(products[c / kLanes * kTile + r * kLanes + c % kLanes], sum, 1e-4);
                }
        }
}

TEST_P(KernelsTest, CountAbove) {
    for (const std::size_t blocks : {1u, 4u, 5u}) {
        Array<float> values = random_floats(blocks * kTile, 9);
        values[3] = std::numeric_limits<float>::quiet_NaN();
        values[4] = -std::numeric_limits<float>::infinity();
        values[5] = std::numeric_limits<float>::infinity();
        std::vector<Bounds> bounds;
        std::vector<std::uint32_t> expected;
        for (const float low : {values[7], 0.0f, values[4], values[5]})
            for (const float high : {low, low + 0.5f}) {
                bounds.push_back({low, high});
                expected.push_back(0);
                for (std::size_t i = 0; i < blocks * kLanes; ++i) {
                    const float value = values[i / kLanes * kTile + i % kLanes];
                    expected.back() += (value >= low ? 1u : 0u) + (value > high ? 1u << 16 : 0u);
                }
            }
        for (std::size_t count = 0; count <= kMostBounds; ++count)
            for (std::size_t first = 0; first + count <= bounds.size(); ++first) {
                std::vector<std::uint32_t> counts(count, 1);
                kernel_->count_above(values.data(), blocks, bounds.data() + first, count, counts.data());
                for (std::size_t n = 0; n < count; ++n) EXPECT_EQ(counts[n], expected[first + n]) << count;
            }
    }
}

// The promise at the top of kernels.hpp.
TEST(KernelsBitsTest, Avx2AndAvx512Agree) {
    const Kernels* const narrow = kernels_named("avx2");
    const Kernels* const wide = kernels_named("avx512");
    if (narrow == nullptr || wide == nullptr) GTEST_SKIP() << "this processor has one of them at most";
    for (const std::size_t blocks : kBlockCounts) {
        const Array<float> panel = random_floats(panel_size(blocks), 3);
        const Array<float> coefficients = random_floats(kPanelRows, 5);
        Array<float> results[2];
        for (const int variant : {0, 1}) {
            const Kernels& kernel = variant == 0 ? *narrow : *wide;
            TestSystem test(blocks);
            Array<float> vector(test.size, 0.0f);
            kernel.add_outer_products(panel.data(), 61, blocks, test.system.data(), {});
            kernel.add_combination(panel.data(), 61, blocks, coefficients.data(), vector.data());
            Array<float> residuals(kPanelRows);
            kernel.subtract_products(panel.data(), 61, blocks, vector.data(), coefficients.data(), residuals.data());
            kernel.add_combination(panel.data(), 61, blocks, residuals.data(), vector.data());
            // Of the panel's first 61 rows, as if they were rows of a matrix.
            Array<std::uint32_t> words(61 * bfloat16_words(blocks));
            kernel.to_bfloat16(panel.data(), 61, blocks, 64.0f, words.data());
            std::vector<std::uint32_t> indices(61);
            std::iota(indices.begin(), indices.end(), 0u);
            vector[0] += kernel.add_bfloat16_rows({words.data(), 0x1.0p-6f}, indices.data(), 61, 61,
                                                  coefficients.data(), 1.0f, blocks, panel.data(), vector.data());
            Array<float> row_sum(test.size, 0.0f);
            const Bfloat16Sums sums =
                kernel.add_bfloat16_residuals({words.data(), 0x1.4p-6f}, indices.data(), 61, 61, coefficients.data(),
                                              blocks, panel.data(), vector.data(), row_sum.data());
            vector[0] += sums.residuals + sums.squares;
            for (std::size_t i = 0; i < test.size; ++i) vector[i] += row_sum[i];
            Array<float> diagonal(test.size), inverse(test.size), product(test.size);
            kernel.add_ridge(row_sum.data(), 500.0f, blocks, diagonal.data(), inverse.data());
            vector[0] += kernel.precondition(inverse.data(), vector.data(), blocks, product.data());
            vector[1] += kernel.weighted_square(product.data(), inverse.data(), blocks);
            kernel.add_scaled(0.3f, product.data(), blocks, vector.data());
            kernel.scale_and_add(0.3f, product.data(), blocks, vector.data());
            kernel.multiply_elements(0.3f, diagonal.data(), vector.data(), blocks, vector.data());
            vector[0] += static_cast<float>(kernel.sum_of_magnitudes(diagonal.data(), test.size));
            ASSERT_TRUE(kernel.factorize(test.system.data(), blocks, 1e-7f));
            kernel.solve_lower(test.system.data(), blocks, vector.data());
            kernel.solve_upper(test.system.data(), blocks, vector.data());
            results[variant] = Array<float>(test.size + 1);
            std::memcpy(results[variant].data(), vector.data(), test.size * sizeof(float));
            results[variant][test.size] = kernel.dot(vector.data(), panel.data(), blocks);
        }
        for (std::size_t i = 0; i < results[0].size(); ++i) ASSERT_EQ(results[0][i], results[1][i]) << blocks;
    }
}

TEST(KernelsChoiceTest, TheFastestVariantIsChosen) {
    for (const char* name : {"avx512", "avx2", "portable"})
        if (kernels_named(name) != nullptr) {
            EXPECT_EQ(&kernels(), kernels_named(name));
            break;
        }
    EXPECT_EQ(kernels_named("none"), nullptr);
}

}  // namespace
}  // namespace mf
