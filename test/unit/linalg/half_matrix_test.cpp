#include "core/linalg/half_matrix.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/base/half_floats.hpp"
#include "unit/generated_data.hpp"

namespace mf {
namespace {

float value_at(const HalfRows& rows, std::size_t r, std::size_t f) {
    return rows.unit * from_half(rows.rows[r * rows.stride + f]);
}

TEST(HalfMatrixTest, KeepsElevenBitsAtAnyScale) {
    Environment environment;
    for (const float scale : {1.0f, 1e-3f, 1e-15f, 1e-18f, 1e5f, 1e15f})
        for (const int factors : {1, 17}) {
            FactorMatrix matrix = test::random_matrix(300, factors, 1);
            for (std::size_t r = 0; r < matrix.rows(); ++r)
                for (int f = 0; f < factors; ++f) matrix.row(r)[f] *= scale;
            const GramMatrix gram(matrix, environment);
            HalfMatrix halves;
            halves.copy(matrix, gram, environment);
            for (std::size_t r = 0; r < matrix.rows(); ++r)
                for (std::size_t f = 0; f < matrix.stride(); ++f) {
                    const float value = matrix.row(r)[f];
                    ASSERT_NEAR(value_at(halves.rows(), r, f), value, 0x1.0p-11f * std::abs(value) + 1e-7f * scale);
                }
        }
}

// A row that has all of the Gram matrix is the largest there can be.
TEST(HalfMatrixTest, TheLargestFactorFits) {
    Environment environment;
    for (const float largest : {1.0f, std::nextafter(2.0f, 0.0f), 3.0f, -4.0f, 1e18f, -1e-18f}) {
        FactorMatrix matrix(2, 2);
        matrix.row(0)[1] = largest;
        HalfMatrix halves;
        halves.copy(matrix, GramMatrix(matrix, environment), environment);
        EXPECT_NEAR(value_at(halves.rows(), 0, 1), largest, 0x1.0p-11f * std::abs(largest));
        EXPECT_GE(std::abs(from_half(halves.rows().rows[1])), 0x1.0p14f);
        EXPECT_LE(std::abs(from_half(halves.rows().rows[1])), 0x1.0p15f);
    }
}

TEST(HalfMatrixTest, SomeRowsHaveTheBitsOfAll) {
    Environment environment;
    environment.threads = 3;
    const FactorMatrix matrix = test::random_matrix(5000, 40, 2);
    const GramMatrix gram(matrix, environment);
    HalfMatrix all, some;
    all.copy(matrix, gram, environment);
    some.copy(FactorView(matrix).slice(4000, 4100), gram, environment);
    EXPECT_EQ(some.rows().unit, all.rows().unit);
    for (std::size_t i = 0; i < 100 * matrix.stride(); ++i)
        ASSERT_EQ(some.rows().rows[i], all.rows().rows[4000 * matrix.stride() + i]);
}

TEST(HalfMatrixTest, ServesOneMatrixAfterTheOther) {
    Environment environment;
    HalfMatrix halves;
    for (const std::size_t rows : {10u, 1000u, 5u, 0u}) {
        const FactorMatrix matrix = test::random_matrix(rows, 20, rows);
        halves.copy(matrix, GramMatrix(matrix, environment), environment);
        for (std::size_t r = 0; r < rows; ++r)
            ASSERT_NEAR(value_at(halves.rows(), r, 19), matrix.row(r)[19], 1e-3f * std::abs(matrix.row(r)[19]));
    }
    const FactorMatrix zeros(3, 20);
    halves.copy(zeros, GramMatrix(zeros, environment), environment);
    for (std::size_t f = 0; f < zeros.stride(); ++f) EXPECT_EQ(value_at(halves.rows(), 2, f), 0.0f);
}

}  // namespace
}  // namespace mf
