#include "core/linalg/tridiagonal_qr.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/base/random.hpp"

namespace mf {
namespace {

struct Tridiagonal {
    std::vector<double> diagonal, beside;
};

Tridiagonal random_matrix(std::size_t n, double decay) {
    Random random(n);
    Tridiagonal matrix;
    for (std::size_t i = 0; i < n; ++i) {
        matrix.diagonal.push_back(random.normal() * std::pow(decay, static_cast<double>(i)));
        if (i + 1 < n) matrix.beside.push_back(random.normal() * std::pow(decay, static_cast<double>(i)));
    }
    return matrix;
}

RotatedRows identity(std::size_t n) {
    RotatedRows vectors(n);
    for (std::size_t i = 0; i < n; ++i) vectors.at(i, i) = 1;
    return vectors;
}

/// The greatest difference of T·v and λ·v over all columns, and of VᵀV and the identity, relative to |T|.
double error_of(const Tridiagonal& matrix, const std::vector<double>& values, RotatedRows& vectors) {
    const std::size_t n = values.size();
    double largest = std::numeric_limits<double>::min(), error = 0;
    for (const double value : values) largest = std::max(largest, std::fabs(value));
    for (std::size_t j = 0; j < n; ++j)
        for (std::size_t i = 0; i < n; ++i) {
            double product = matrix.diagonal[i] * vectors.at(i, j);
            if (i > 0) product += matrix.beside[i - 1] * vectors.at(i - 1, j);
            if (i + 1 < n) product += matrix.beside[i] * vectors.at(i + 1, j);
            error = std::max(error, std::fabs(product - values[j] * vectors.at(i, j)) / largest);
        }
    for (std::size_t a = 0; a < n; ++a)
        for (std::size_t b = 0; b <= a; ++b) {
            double sum = a == b ? -1 : 0;
            for (std::size_t i = 0; i < n; ++i) sum += vectors.at(i, a) * vectors.at(i, b);
            error = std::max(error, std::fabs(sum));
        }
    return error;
}

TEST(TridiagonalQrTest, FindsEigenvectors) {
    Environment environment;
    environment.threads = 2;
    for (const std::size_t n : {1u, 2u, 3u, 15u, 16u, 17u, 100u, 300u})
        for (const double decay : {1.0, 0.9, 0.1}) {
            const Tridiagonal matrix = random_matrix(n, decay);
            Tridiagonal copy = matrix;
            RotatedRows vectors = identity(n);
            ASSERT_TRUE(diagonalize(copy.diagonal, copy.beside, vectors, environment));
            EXPECT_LT(error_of(matrix, copy.diagonal, vectors), 1e-13 * static_cast<double>(n)) << n << ", " << decay;
        }
}

TEST(TridiagonalQrTest, TakesMatricesThatAreDiagonalOrZeroOrHaveEqualEigenvalues) {
    Environment environment;
    for (const Tridiagonal& matrix : {Tridiagonal{{3, 1, 2}, {0, 0}}, Tridiagonal{{0, 0, 0}, {0, 0}},
                                      Tridiagonal{{1, 1, 1, 1}, {1, 0, 1}}, Tridiagonal{{0, 0, 0}, {1, 1}},
                                      Tridiagonal{{1e300, 1e300}, {1e299}}, Tridiagonal{{1e-300, 2e-300}, {1e-301}}}) {
        Tridiagonal copy = matrix;
        RotatedRows vectors = identity(matrix.diagonal.size());
        ASSERT_TRUE(diagonalize(copy.diagonal, copy.beside, vectors, environment));
        EXPECT_LT(error_of(matrix, copy.diagonal, vectors), 1e-14);
    }
}

TEST(TridiagonalQrTest, RefusesWhatIsNotFinite) {
    Environment environment;
    for (const double bad : {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
        RotatedRows vectors = identity(3);
        Tridiagonal diagonal{{1, bad, 2}, {1, 1}}, beside{{1, 2, 3}, {1, bad}};
        EXPECT_FALSE(diagonalize(diagonal.diagonal, diagonal.beside, vectors, environment));
        EXPECT_FALSE(diagonalize(beside.diagonal, beside.beside, vectors, environment));
    }
}

TEST(TridiagonalQrTest, IsTheSameForAnyThreads) {
    Environment one, three;
    three.threads = 3;
    Tridiagonal first = random_matrix(200, 0.99), second = first;
    RotatedRows vectors = identity(200), same = identity(200);
    ASSERT_TRUE(diagonalize(first.diagonal, first.beside, vectors, one));
    ASSERT_TRUE(diagonalize(second.diagonal, second.beside, same, three));
    EXPECT_EQ(first.diagonal, second.diagonal);
    for (std::size_t g = 0; g < vectors.groups(); ++g)
        EXPECT_TRUE(std::equal(vectors.group(g), vectors.group(g) + 200 * kLanes, same.group(g)));
}

class RotateColumnsTest : public ::testing::TestWithParam<const char*> {};

TEST_P(RotateColumnsTest, AppliesRotationsInTheirOrder) {
    const Kernels* kernels = kernels_named(GetParam());
    if (kernels == nullptr) GTEST_SKIP() << "this processor has no " << GetParam();
    constexpr std::size_t kColumns = 9;
    Random random(3);
    Array<double> rows(kColumns * kLanes);
    for (double& value : rows) value = random.normal();
    std::vector<double> expected(rows.begin(), rows.end());
    std::vector<Rotation> rotations;
    for (const std::size_t column : {0u, 1u, 2u, 7u, 3u, 3u, 4u, 3u, 0u}) {
        const double angle = random.normal();
        rotations.push_back({std::cos(angle), std::sin(angle), column});
        for (std::size_t r = 0; r < kLanes; ++r) {
            double &left = expected[column * kLanes + r], &right = expected[(column + 1) * kLanes + r];
            const double before = left;
            left = std::cos(angle) * before - std::sin(angle) * right;
            right = std::sin(angle) * before + std::cos(angle) * right;
        }
    }
    kernels->rotate_columns(rows.data(), nullptr, 0);
    kernels->rotate_columns(rows.data(), rotations.data(), rotations.size());
    for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_NEAR(rows[i], expected[i], 1e-14) << i;
    // Those with fused multiply-add give the same bits.
    const Kernels *avx2 = kernels_named("avx2"), *avx512 = kernels_named("avx512");
    if (avx2 == nullptr || avx512 == nullptr) return;
    Array<double> other(rows.size()), another(rows.size());
    std::copy(rows.begin(), rows.end(), other.begin());
    std::copy(rows.begin(), rows.end(), another.begin());
    avx2->rotate_columns(other.data(), rotations.data(), rotations.size());
    avx512->rotate_columns(another.data(), rotations.data(), rotations.size());
    EXPECT_TRUE(std::equal(other.begin(), other.end(), another.begin()));
}

INSTANTIATE_TEST_SUITE_P(Variants, RotateColumnsTest, ::testing::Values("portable", "avx2", "avx512"));

}  // namespace
}  // namespace mf
