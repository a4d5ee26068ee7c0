#include "core/linalg/bfloat16_matrix.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "unit/generated_data.hpp"

namespace mf {
namespace {

float value_at(const Bfloat16Matrix& copy, const FactorMatrix& of, std::size_t r, std::size_t f) {
    return copy.rows().at(of.stride() / kLanes, r, f);
}

TEST(Bfloat16MatrixTest, KeepsEightBitsAtAnyScale) {
    Environment environment;
    for (const float scale : {1.0f, 1e-3f, 1e-15f, 1e-18f, 1e5f, 1e15f})
        for (const int factors : {1, 16, 17, 32, 33, 60}) {
            FactorMatrix matrix = test::random_matrix(300, factors, 1);
            for (std::size_t r = 0; r < matrix.rows(); ++r)
                for (int f = 0; f < factors; ++f) matrix.row(r)[f] *= scale;
            const GramMatrix gram(matrix, environment);
            Bfloat16Matrix copy;
            copy.copy(matrix, gram, environment);
            for (std::size_t r = 0; r < matrix.rows(); ++r)
                for (std::size_t f = 0; f < matrix.stride(); ++f) {
                    const float value = matrix.row(r)[f];
                    ASSERT_NEAR(value_at(copy, matrix, r, f), value, 0x1.0p-8f * std::abs(value) + 1e-18f * scale);
                }
        }
}

// A row that has all of the Gram matrix is the largest there can be.
TEST(Bfloat16MatrixTest, TheLargestFactorFits) {
    Environment environment;
    for (const float largest : {1.0f, std::nextafter(2.0f, 0.0f), 3.0f, -4.0f, 1e18f, -1e-18f}) {
        FactorMatrix matrix(2, 2);
        matrix.row(0)[1] = largest;
        Bfloat16Matrix copy;
        copy.copy(matrix, GramMatrix(matrix, environment), environment);
        EXPECT_NEAR(value_at(copy, matrix, 0, 1), largest, 0x1.0p-8f * std::abs(largest));
        EXPECT_GE(std::abs(largest), copy.rows().unit);
        EXPECT_LE(std::abs(largest), 2 * copy.rows().unit);
    }
}

TEST(Bfloat16MatrixTest, SomeRowsHaveTheBitsOfAll) {
    Environment environment;
    environment.threads = 3;
    const FactorMatrix matrix = test::random_matrix(5000, 40, 2);
    const GramMatrix gram(matrix, environment);
    Bfloat16Matrix all, some;
    all.copy(matrix, gram, environment);
    some.copy(FactorView(matrix).slice(4000, 4100), gram, environment);
    EXPECT_EQ(some.rows().unit, all.rows().unit);
    const std::size_t words = bfloat16_words(matrix.stride() / kLanes);
    for (std::size_t i = 0; i < 100 * words; ++i) ASSERT_EQ(some.rows().words[i], all.rows().words[4000 * words + i]);
}

TEST(Bfloat16MatrixTest, ServesOneMatrixAfterTheOther) {
    Environment environment;
    Bfloat16Matrix copy;
    for (const std::size_t rows : {10u, 1000u, 5u, 0u}) {
        const FactorMatrix matrix = test::random_matrix(rows, 20, rows);
        copy.copy(matrix, GramMatrix(matrix, environment), environment);
        for (std::size_t r = 0; r < rows; ++r)
            ASSERT_NEAR(value_at(copy, matrix, r, 19), matrix.row(r)[19], 0x1.0p-8f * std::abs(matrix.row(r)[19]));
    }
    const FactorMatrix zeros(3, 20);
    copy.copy(zeros, GramMatrix(zeros, environment), environment);
    for (std::size_t f = 0; f < zeros.stride(); ++f) EXPECT_EQ(value_at(copy, zeros, 2, f), 0.0f);
}

}  // namespace
}  // namespace mf
