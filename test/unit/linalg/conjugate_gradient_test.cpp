// Conjugate gradient and dual systems against Eigen in double precision, at awkward sizes.
#include "core/linalg/conjugate_gradient.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "core/base/random.hpp"
#include "core/linalg/dual_equations.hpp"
#include "core/linalg/eigenbasis.hpp"
#include "core/linalg/bfloat16_matrix.hpp"
#include "unit/generated_data.hpp"

namespace mf {
namespace {

using test::random_matrix;

Eigen::VectorXd dense(const float* row, int factors) {
    Eigen::VectorXd result(factors);
    for (int f = 0; f < factors; ++f) result[f] = static_cast<double>(row[f]);
    return result;
}

constexpr std::size_t kFeatures = 300;

FactorMatrix rotated(FactorMatrix matrix, Environment& environment) {
    Eigenbasis(GramMatrix(matrix, environment), matrix.factors(), environment).rotate(matrix, environment);
    return matrix;
}

// Which features the row's own terms are of; all other terms are of the features themselves.
enum class Entries { Features, Rounded };

// A row's problem, the same in double: Σ c_j (1 − x·y_j)² + w |Yx|² + ridge |x − center|².
struct Problem {
    Environment environment;
    FactorMatrix features;
    Bfloat16Matrix rounded;
    GramMatrix gram;
    float unobserved = 0.5f;
    float ridge;
    std::vector<std::uint32_t> columns;
    std::vector<float> weights;
    Eigen::MatrixXd system;
    Eigen::VectorXd right;
    double weight_sum = 0;
    double constant = 0;  // the value for x = 0
    Array<float> center;  // empty: zero

    Problem(int factors, std::size_t n, float ridge_in, Entries entries)
        : features(rotated(random_matrix(kFeatures, factors, 1), environment)),
          gram(features, environment),
          ridge(ridge_in) {
        rounded.copy(features, gram, environment);
        Random random(2);
        system = Eigen::MatrixXd::Identity(factors, factors) * static_cast<double>(ridge);
        right = Eigen::VectorXd::Zero(factors);
        for (std::size_t r = 0; r < kFeatures; ++r) {
            const Eigen::VectorXd y = dense(features.row(r), factors);
            system += static_cast<double>(unobserved) * y * y.transpose();
        }
        for (std::size_t j = 0; j < n; ++j) {
            columns.push_back(static_cast<std::uint32_t>(random.next() % kFeatures));
            weights.push_back(j % 5 == 3 ? 0.0f : static_cast<float>(2 * random.uniform()));
            Eigen::VectorXd y = dense(features.row(columns.back()), factors);
            if (entries == Entries::Rounded)
                for (int f = 0; f < factors; ++f)
                    y[f] = static_cast<double>(
                        rounded.rows().at(features.stride() / kLanes, columns.back(), static_cast<std::size_t>(f)));
            const double weight = static_cast<double>(weights.back());
            system += weight * y * y.transpose();
            right += weight * y;
            weight_sum += weight;
        }
        constant = weight_sum;
    }
    void draw_to_center() {
        const auto factors = static_cast<int>(right.size());
        center = Array<float>(FactorMatrix::padded(factors), 0.0f);
        for (int f = 0; f < factors; ++f) center[static_cast<std::size_t>(f)] = 0.1f * static_cast<float>(f % 5 - 1);
        const Eigen::VectorXd point = dense(center.data(), factors);
        right += static_cast<double>(ridge) * point;
        constant += static_cast<double>(ridge) * point.squaredNorm();
    }
    const float* center_or_null() const { return center.empty() ? nullptr : center.data(); }
    double value(const Eigen::VectorXd& x) const { return constant - 2 * right.dot(x) + x.dot(system * x); }
};

TEST(ConjugateGradientTest, ComesNearTheMinimumAndReportsTheValue) {
    for (const int factors : {1, 15, 16, 17, 64, 100, 129, 256})
        for (const int n : {0, 1, 15, 16, 17, 65, 1100, -65, -1100}) {  // 1100: in two calls of the kernel
            SCOPED_TRACE(testing::Message() << factors << " factors, " << n << " entries; below 0: with a center");
            Problem problem(factors, static_cast<std::size_t>(std::abs(n)), 3.0f, Entries::Rounded);
            if (n < 0) problem.draw_to_center();
            const SharedDiagonal shared(problem.gram, problem.features, problem.unobserved);
            ASSERT_TRUE(shared.exists());
            ConjugateGradient solver(factors);
            Array<float> x(FactorMatrix::padded(factors), 0.0f);
            for (int f = 0; f < factors; ++f) x[static_cast<std::size_t>(f)] = 0.01f * static_cast<float>(f % 7);
            const Eigen::VectorXd minimum = problem.system.ldlt().solve(problem.right);
            const double before = problem.value(dense(x.data(), factors));
            const double smallest = problem.value(minimum);
            double reported = 0;
            for (int calls = 0; calls < 2; ++calls)
                reported = solver.improve(shared, problem.rounded.rows(), problem.columns, problem.weights,
                                          problem.ridge, problem.center_or_null(), x.data());
            const double after = problem.value(dense(x.data(), factors));
            EXPECT_NEAR(reported, after, 1e-5 * (before + 1));
            EXPECT_LE(after - smallest, 1e-3 * (before - smallest) + 1e-6);
            for (std::size_t f = static_cast<std::size_t>(factors); f < x.size(); ++f) EXPECT_EQ(x[f], 0.0f);
        }
}

// What the features lose in 16 bits is less than what the steps leave.
TEST(ConjugateGradientTest, TheSolutionIsLeftAlone) {
    Problem problem(20, 100, 3.0f, Entries::Features);
    const SharedDiagonal shared(problem.gram, problem.features, problem.unobserved);
    const Eigen::VectorXd minimum = problem.system.ldlt().solve(problem.right);
    Array<float> x(32, 0.0f);
    for (int f = 0; f < 20; ++f) x[static_cast<std::size_t>(f)] = static_cast<float>(minimum[f]);
    Array<float> before(32);
    std::copy(x.begin(), x.end(), before.begin());
    ConjugateGradient(20).improve(shared, problem.rounded.rows(), problem.columns, problem.weights, 3.0f, nullptr,
                                  x.data());
    EXPECT_TRUE(std::equal(x.begin(), x.end(), before.begin()));
}

TEST(DualEquationsTest, SolvesAndInverts) {
    for (const int factors : {2, 15, 16, 17, 64, 100, 129, 256})
        for (const int n : {1, 5, 8, 9, 16, 17, 40, 64, 65, 150, -1, -40, -150}) {
            SCOPED_TRACE(testing::Message() << factors << " factors, " << n << " entries; below 0: with a center");
            if (std::abs(n) > static_cast<int>(DualEquations::longest_row(factors))) continue;
            Problem problem(factors, static_cast<std::size_t>(std::abs(n)), 3.0f, Entries::Features);
            if (n < 0) problem.draw_to_center();
            const SharedDiagonal shared(problem.gram, problem.features, problem.unobserved);
            ASSERT_TRUE(shared.exists());
            DualEquations equations(factors);
            Array<float> x(FactorMatrix::padded(factors), 7.0f);
            ASSERT_TRUE(equations.solve(shared, problem.ridge, problem.features, problem.columns, problem.weights,
                                        problem.center_or_null(), x.data()));
            const Eigen::VectorXd minimum = problem.system.ldlt().solve(problem.right);
            EXPECT_LE((dense(x.data(), factors) - minimum).norm(), 1e-5 * (minimum.norm() + 1e-3));
            EXPECT_NEAR(equations.value(), problem.value(minimum), 1e-5 * problem.weight_sum);
            for (std::size_t f = static_cast<std::size_t>(factors); f < x.size(); ++f) EXPECT_EQ(x[f], 0.0f);

            for (int f = 0; f < factors; ++f) x[static_cast<std::size_t>(f)] = static_cast<float>(f % 7 - 3);
            const Eigen::VectorXd expected = problem.system.ldlt().solve(dense(x.data(), factors));
            equations.solve(x.data());
            EXPECT_LE((dense(x.data(), factors) - expected).norm(), 1e-5 * (expected.norm() + 1e-3));
        }
}

TEST(DualEquationsTest, ARowHasTheSameBitsWhateverCameBefore) {
    const Problem problem(64, 40, 3.0f, Entries::Features);
    const SharedDiagonal shared(problem.gram, problem.features, problem.unobserved);
    DualEquations equations(64);
    const std::span<const std::uint32_t> columns(problem.columns);
    const std::span<const float> weights(problem.weights);
    Array<float> first(64), again(64);
    ASSERT_TRUE(
        equations.solve(shared, 2.0f, problem.features, columns.first(5), weights.first(5), nullptr, first.data()));
    ASSERT_TRUE(equations.solve(shared, 3.0f, problem.features, columns, weights, nullptr, again.data()));
    ASSERT_TRUE(equations.solve(shared, 2.0f, problem.features, columns, weights.first(5), nullptr, again.data()));
    EXPECT_TRUE(std::equal(first.begin(), first.end(), again.begin()));
}

}  // namespace
}  // namespace mf
