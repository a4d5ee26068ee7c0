// Systems and Gram matrices against Eigen in double precision.
#include "core/linalg/normal_equations.hpp"

#include "core/training/half_step.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/random.hpp"
#include "unit/generated_data.hpp"

namespace mf {
namespace {

using test::random_matrix;

Eigen::MatrixXd dense(const FactorMatrix& matrix) {
    Eigen::MatrixXd result(matrix.rows(), matrix.factors());
    for (Eigen::Index r = 0; r < result.rows(); ++r)
        for (Eigen::Index f = 0; f < result.cols(); ++f)
            result(r, f) = static_cast<double>(matrix.row(static_cast<std::size_t>(r))[f]);
    return result;
}

// Solves (0.5·YᵀY + Σ s² y yᵀ + 0.7·I) x = Σ c s y both ways.
void check_solve(int factors, std::size_t entries) {
    SCOPED_TRACE(testing::Message() << factors << " factors, " << entries << " entries");
    const FactorMatrix features = random_matrix(40, factors, 1);
    Environment environment;
    const GramMatrix gram(features, environment);
    NormalEquations equations(factors);

    Random random(2);
    std::vector<std::uint32_t> columns(entries);
    std::vector<float> scales(entries), targets(entries);
    for (std::size_t j = 0; j < entries; ++j) {
        columns[j] = static_cast<std::uint32_t>(random.next() % features.rows());
        scales[j] = static_cast<float>(random.uniform());
        targets[j] = static_cast<float>(random.normal());
    }
    equations.start(&gram, 0.5f);
    for (std::size_t first = 0; first < entries; first += kPanelRows) {
        const std::size_t count = std::min(kPanelRows, entries - first);
        equations.add_rows(features, std::span(columns).subspan(first), count, scales.data() + first);
        equations.add_right_hand_side(0, targets.data() + first, count);
    }
    ASSERT_TRUE(equations.factorize(0.7f));
    equations.solve_lower(0);
    Array<float> x(FactorMatrix::padded(factors), 9.0f);
    equations.solve_upper(0.0f, x.data());

    const Eigen::MatrixXd y = dense(features);
    Eigen::MatrixXd system = 0.5 * y.transpose() * y + 0.7 * Eigen::MatrixXd::Identity(factors, factors);
    Eigen::VectorXd right = Eigen::VectorXd::Zero(factors);
    for (std::size_t j = 0; j < entries; ++j) {
        const Eigen::VectorXd row = static_cast<double>(scales[j]) * y.row(columns[j]).transpose();
        system += row * row.transpose();
        right += static_cast<double>(targets[j]) * row;
    }
    const Eigen::VectorXd expected = system.ldlt().solve(right);
    for (int f = 0; f < factors; ++f) EXPECT_NEAR(x[static_cast<std::size_t>(f)], expected[f], 2e-4);
    for (std::size_t f = static_cast<std::size_t>(factors); f < x.size(); ++f) EXPECT_EQ(x[f], 0.0f);
}

TEST(NormalEquationsTest, AgreesWithEigenAtAwkwardSizes) {
    for (const int factors : {1, 2, 15, 16, 17, 31, 33, 47, 63, 64, 65, 100, 128, 200})
        for (const std::size_t entries : {0, 1, 2, 63, 64, 65, 200}) check_solve(factors, entries);
}

TEST(NormalEquationsTest, LargestNumberOfFactors) { check_solve(1024, 70); }

// Fifteen pivots would be rounding errors; one of them at least is too small or negative.
TEST(NormalEquationsTest, NoRidgeAndFewRowsIsRefused) {
    const FactorMatrix features = random_matrix(40, 20, 1);
    std::vector<std::uint32_t> columns(5);
    std::iota(columns.begin(), columns.end(), 0u);
    const std::vector<float> ones(columns.size(), 1.0f);
    NormalEquations equations(20);
    equations.start(nullptr, 0.0f);
    equations.add_rows(features, columns, columns.size(), ones.data());
    EXPECT_FALSE(equations.factorize(0.0f));
}

TEST(GramMatrixTest, AgreesWithEigen) {
    for (const std::size_t rows : {1, 63, 64, 65, 3000}) {
        const FactorMatrix matrix = random_matrix(rows, 21, 3);
        Environment environment;
        const GramMatrix gram(matrix, environment);
        const Eigen::MatrixXd y = dense(matrix);
        const Eigen::MatrixXd expected = y.transpose() * y;
        for (int i = 0; i < 21; ++i)
            for (int j = 0; j < 21; ++j)
                EXPECT_NEAR(gram.at(static_cast<std::size_t>(i), static_cast<std::size_t>(j)), expected(i, j),
                            1e-6 * static_cast<double>(rows) + 1e-5);
    }
}

// With a thousand factors an interrupt would wait for millions of rows.
TEST(GramMatrixTest, LooksAtTheInterruptAtLeastOnceAPiece) {
    constexpr int kFactors = 1024;
    const FactorMatrix matrix(10 * piece_entries(kFactors), kFactors);
    Environment environment;
    std::size_t looks = 0;
    environment.interrupted = [&] { return ++looks == 0; };
    environment.checkpoint = [] {};
    const GramMatrix gram(matrix, environment);
    EXPECT_GE(looks, matrix.rows() / piece_entries(kFactors));
}

TEST(GramMatrixTest, SameBitsForAnyNumberOfThreads) {
    const FactorMatrix matrix = random_matrix(10000, 32, 4);
    Environment one;
    const GramMatrix expected(matrix, one);
    for (const int threads : {2, 3, 7}) {
        Environment environment;
        environment.threads = threads;
        const GramMatrix gram(matrix, environment);
        for (std::size_t i = 0; i < 32; ++i)
            for (std::size_t j = 0; j < 32; ++j) ASSERT_EQ(gram.at(i, j), expected.at(i, j));
    }
}

TEST(GramSumsTest, PartsThatTravelAsNumbersGiveTheMatrix) {
    for (const int factors : {1, 16, 33}) {
        const FactorMatrix matrix = random_matrix(3000, factors, 7);
        Environment environment;
        const GramMatrix expected(matrix, environment);
        GramSums sums(factors);
        for (std::size_t begin = 0; begin < 3000; begin += 700) {
            GramSums part(factors);
            part.add(FactorView(matrix).slice(begin, std::min<std::size_t>(3000, begin + 700)));
            const std::vector<double> flat(part.values().begin(), part.values().end());
            ASSERT_EQ(flat.size(), GramSums::size(factors));
            sums += GramSums(factors, flat);
        }
        const GramMatrix gram(sums);
        for (std::size_t i = 0; i < static_cast<std::size_t>(factors); ++i)
            for (std::size_t j = 0; j < static_cast<std::size_t>(factors); ++j) {
                EXPECT_NEAR(gram.at(i, j), expected.at(i, j), 1e-4 * 3000);
                EXPECT_EQ(gram.at(i, j), gram.at(j, i));
            }
        EXPECT_NEAR(sums.values()[0], expected.at(0, 0), 1e-3 * 3000);
    }
}

TEST(GramSumsTest, WrongShapesAreRefused) {
    GramSums sums(3);
    EXPECT_THROW(GramSums(3, std::vector<double>(5)), InvalidArgument);
    EXPECT_THROW(GramSums(0, std::vector<double>()), InvalidArgument);
    EXPECT_THROW(sums += GramSums(4), InvalidArgument);
    EXPECT_THROW(sums.add(FactorMatrix(2, 4)), InvalidArgument);
}

}  // namespace
}  // namespace mf
