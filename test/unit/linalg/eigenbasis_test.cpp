#include "core/linalg/eigenbasis.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/half_floats.hpp"
#include "core/base/random.hpp"

namespace mf {
namespace {

// Directions of unequal strength, as in a trained model.
FactorMatrix correlated_matrix(std::size_t rows, int factors, std::uint64_t seed) {
    FactorMatrix matrix(rows, factors);
    for (std::size_t r = 0; r < rows; ++r) {
        Random random(seed, r);
        const double shared = random.normal();
        for (int f = 0; f < factors; ++f) matrix.row(r)[f] = static_cast<float>(shared + random.normal() / (1 + f % 9));
    }
    return matrix;
}

TEST(EigenbasisTest, KeepsScoresAndDiagonalizes) {
    for (const int factors : {1, 3, 16, 17, 64, 100, 257})
        for (const std::size_t rows : {std::size_t{1}, std::size_t{15}, std::size_t{700}}) {
            SCOPED_TRACE(testing::Message() << rows << " rows of " << factors);
            Environment environment;
            environment.threads = 2;
            FactorMatrix items = correlated_matrix(rows, factors, 1), users = correlated_matrix(40, factors, 2);
            const auto scores = [&](std::size_t u, std::size_t i) {
                double sum = 0;
                for (int f = 0; f < factors; ++f)
                    sum += static_cast<double>(users.row(u)[f]) * static_cast<double>(items.row(i)[f]);
                return sum;
            };
            std::vector<double> before;
            for (std::size_t u = 0; u < 40; ++u)
                for (std::size_t i = 0; i < rows; i += 7) before.push_back(scores(u, i));
            const GramMatrix gram(items, environment);
            EXPECT_EQ(is_diagonal(gram, items), factors == 1);
            EXPECT_EQ(SharedDiagonal(gram, items, 1.0f).exists(), factors == 1);
            const Eigenbasis basis(gram, factors, environment);
            basis.rotate(items, environment);
            basis.rotate(users, environment);
            std::size_t next = 0;
            for (std::size_t u = 0; u < 40; ++u)
                for (std::size_t i = 0; i < rows; i += 7)
                    EXPECT_NEAR(scores(u, i), before[next++], 1e-5 * factors * 10);
            const GramMatrix after(items, environment);
            ASSERT_TRUE(is_diagonal(after, items));
            const SharedDiagonal shared(after, items, 0.5f);
            ASSERT_TRUE(shared.exists());
            for (std::size_t f = 0; f < FactorMatrix::padded(factors); ++f) {
                const bool is_factor = f < static_cast<std::size_t>(factors);
                EXPECT_EQ(shared.values()[f], is_factor ? 0.5f * after.at(f, f) : 0.0f);
                if (is_factor && f > 0) {
                    EXPECT_LE(after.at(f, f), after.at(f - 1, f - 1) * 1.001f + 1e-3f);
                }
                for (std::size_t r = 0; !is_factor && r < rows; ++r) EXPECT_EQ(items.row(r)[f], 0.0f);
            }
        }
}

TEST(EigenbasisTest, ARowHasTheSameBitsForAnyThreadsAndPlace) {
    FactorMatrix items = correlated_matrix(1500, 40, 1), same = correlated_matrix(1500, 40, 1);
    Environment one, three;
    three.threads = 3;
    const Eigenbasis basis(GramMatrix(items, one), 40, one);
    basis.rotate(items, one);
    FactorMatrix row(1, 40);
    std::copy_n(same.row(777), same.stride(), row.row(0));
    basis.rotate(same, three);
    basis.rotate(row, one);
    EXPECT_TRUE(std::equal(items.row(0), items.row(0) + 1500 * items.stride(), same.row(0)));
    EXPECT_TRUE(std::equal(row.row(0), row.row(0) + row.stride(), same.row(777)));
}

// The squares of the elements of these Gram matrices are too small, or too large, for a float.
TEST(EigenbasisTest, KnowsADiagonalOfAnySize) {
    for (const float scale : {1e-14f, 1e-8f, 1.0f, 1e8f, 1e14f}) {
        SCOPED_TRACE(scale);
        Environment environment;
        FactorMatrix items = correlated_matrix(700, 17, 1);
        for (std::size_t r = 0; r < items.rows(); ++r)
            for (std::size_t f = 0; f < items.stride(); ++f) items.row(r)[f] *= scale;
        const GramMatrix gram(items, environment);
        EXPECT_FALSE(is_diagonal(gram, items));
        Eigenbasis(gram, 17, environment).rotate(items, environment);
        EXPECT_TRUE(is_diagonal(GramMatrix(items, environment), items));
    }
}

TEST(EigenbasisTest, TakesTheRoundingOfHalvesForNothingElse) {
    Environment environment;
    FactorMatrix items(4000, 2);
    for (std::size_t r = 0; r < items.rows(); ++r) {
        Random random(3, r);
        items.row(r)[0] = static_cast<float>(random.normal());
        items.row(r)[1] = 0.3f * static_cast<float>(random.normal());
    }
    Eigenbasis(GramMatrix(items, environment), 2, environment).rotate(items, environment);
    // More than rounding to 32 bits leaves, less than rounding to 16 bits does.
    for (std::size_t r = 0; r < items.rows(); ++r) items.row(r)[0] += 1e-4f * items.row(r)[1];
    EXPECT_FALSE(is_diagonal(GramMatrix(items, environment), items));
    Eigenbasis(GramMatrix(items, environment), 2, environment).rotate(items, environment);
    for (std::size_t r = 0; r < items.rows(); ++r)
        for (std::size_t f = 0; f < 2; ++f) items.row(r)[f] = from_half(to_half(items.row(r)[f]));
    EXPECT_TRUE(is_diagonal(GramMatrix(items, environment), items));
}

TEST(EigenbasisTest, RefusesWhatIsNotFinite) {
    FactorMatrix items = correlated_matrix(20, 4, 1);
    items.row(3)[2] = std::numeric_limits<float>::quiet_NaN();
    Environment environment;
    const GramMatrix gram(items, environment);
    EXPECT_FALSE(is_diagonal(gram, items));
    EXPECT_THROW(Eigenbasis(gram, 4, environment), NumericalFailure);
}

TEST(EigenbasisTest, NothingIsInEveryBasis) {
    const FactorMatrix items(20, 4);
    Environment environment;
    EXPECT_TRUE(is_diagonal(GramMatrix(items, environment), items));
}

}  // namespace
}  // namespace mf
