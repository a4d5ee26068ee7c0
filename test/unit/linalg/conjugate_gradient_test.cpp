// Conjugate gradient against Eigen in double precision, at awkward sizes.
#include "core/linalg/conjugate_gradient.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/random.hpp"

namespace mf {
namespace {

FactorMatrix random_matrix(std::size_t rows, int factors, std::uint64_t seed) {
    FactorMatrix matrix(rows, factors);
    for (std::size_t r = 0; r < rows; ++r) {
        Random random(seed, r);
        for (int f = 0; f < factors; ++f) matrix.row(r)[f] = static_cast<float>(random.normal());
    }
    return matrix;
}

Eigen::VectorXd dense(const float* row, int factors) {
    Eigen::VectorXd result(factors);
    for (int f = 0; f < factors; ++f) result[f] = static_cast<double>(row[f]);
    return result;
}

constexpr std::size_t kFeatures = 300;

// A row's problem, the same in double: Σ c_j (1 − x·y_j)² + w |Yx|² + ridge |x|².
struct Problem {
    FactorMatrix features;
    Environment environment;
    GramMatrix gram;
    float unobserved = 0.5f;
    float ridge;
    std::vector<std::uint32_t> columns;
    std::vector<float> weights;
    Eigen::MatrixXd system;
    Eigen::VectorXd right;
    double weight_sum = 0;

    Problem(int factors, std::size_t n, float ridge_in)
        : features(random_matrix(kFeatures, factors, 1)), gram(features, environment), ridge(ridge_in) {
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
            const Eigen::VectorXd y = dense(features.row(columns.back()), factors);
            const double weight = static_cast<double>(weights.back());
            system += weight * y * y.transpose();
            right += weight * y;
            weight_sum += weight;
        }
    }
    double value(const Eigen::VectorXd& x) const { return weight_sum - 2 * right.dot(x) + x.dot(system * x); }
};

TEST(ConjugateGradientTest, ComesNearTheMinimumAndReportsTheValue) {
    for (const int factors : {1, 15, 16, 17, 64, 100, 129})
        for (const std::size_t n : {0, 1, 63, 64, 65, 1000}) {
            SCOPED_TRACE(testing::Message() << factors << " factors, " << n << " entries");
            if (n > ConjugateGradient::longest_row(factors)) continue;
            Problem problem(factors, n, 3.0f);
            // The ridge is not the mean ridge.
            const SharedSystem shared(problem.gram, factors, problem.unobserved, 5.0f, problem.environment);
            ASSERT_TRUE(shared.is_invertible());
            ConjugateGradient solver(factors);
            Array<float> x(FactorMatrix::padded(factors), 0.0f);
            for (int f = 0; f < factors; ++f) x[static_cast<std::size_t>(f)] = 0.01f * static_cast<float>(f % 7);
            const Eigen::VectorXd minimum = problem.system.ldlt().solve(problem.right);
            const double before = problem.value(dense(x.data(), factors));
            const double smallest = problem.value(minimum);
            double reported = 0;
            for (int calls = 0; calls < 2; ++calls)
                reported =
                    solver.improve(shared, problem.features, problem.columns, problem.weights, problem.ridge, x.data());
            const double after = problem.value(dense(x.data(), factors));
            EXPECT_NEAR(reported, after, 1e-5 * (before + 1));
            EXPECT_LE(after - smallest, 1e-3 * (before - smallest) + 1e-6);
            for (std::size_t f = static_cast<std::size_t>(factors); f < x.size(); ++f) EXPECT_EQ(x[f], 0.0f);
        }
}

TEST(ConjugateGradientTest, TheSolutionIsLeftAlone) {
    Problem problem(20, 100, 3.0f);
    const SharedSystem shared(problem.gram, 20, problem.unobserved, 3.0f, problem.environment);
    const Eigen::VectorXd minimum = problem.system.ldlt().solve(problem.right);
    Array<float> x(32, 0.0f);
    for (int f = 0; f < 20; ++f) x[static_cast<std::size_t>(f)] = static_cast<float>(minimum[f]);
    Array<float> before(32);
    std::copy(x.begin(), x.end(), before.begin());
    ConjugateGradient(20).improve(shared, problem.features, problem.columns, problem.weights, 3.0f, x.data());
    EXPECT_TRUE(std::equal(x.begin(), x.end(), before.begin()));
}

TEST(SharedSystemTest, IsTheInverseForAnyNumberOfThreads) {
    for (const int factors : {1, 17, 64, 100}) {
        Problem problem(factors, 0, 3.0f);
        const SharedSystem shared(problem.gram, factors, problem.unobserved, 3.0f, problem.environment);
        problem.environment.threads = 3;
        const SharedSystem threaded(problem.gram, factors, problem.unobserved, 3.0f, problem.environment);
        Array<float> x(FactorMatrix::padded(factors), 0.0f), y(x.size(), 0.0f), z(x.size(), 0.0f);
        for (int f = 0; f < factors; ++f) x[static_cast<std::size_t>(f)] = static_cast<float>(f % 5 - 2);
        shared.inverse().add_product(x.data(), y.data());
        threaded.inverse().add_product(x.data(), z.data());
        EXPECT_TRUE(std::equal(y.begin(), y.end(), z.begin()));
        std::fill(z.begin(), z.end(), 0.0f);
        shared.gram().add_product(y.data(), z.data());
        for (int f = 0; f < factors; ++f) {
            const auto i = static_cast<std::size_t>(f);
            EXPECT_NEAR(z[i] + 3.0f * y[i], x[i], 2e-4);
        }
    }
}

TEST(SharedSystemTest, ASingularOneIsRefused) {
    Environment environment;
    const FactorMatrix features = random_matrix(5, 20, 1);
    const GramMatrix gram(features, environment);
    EXPECT_FALSE(SharedSystem(gram, 20, 1.0f, 0.0f, environment).is_invertible());
}

}  // namespace
}  // namespace mf
