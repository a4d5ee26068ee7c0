// Factors and a bias by conjugate gradient against Eigen in double precision, at awkward sizes.
#include "core/linalg/biased_conjugate_gradient.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "core/base/random.hpp"
#include "unit/generated_data.hpp"

namespace mf {
namespace {

using test::random_matrix;

constexpr std::size_t kFeatures = 300;
constexpr double kUnit = 0.8;

// A row's problem in double precision, over the features as they are in 16 bits, with the bias as one more unknown:
// Σ (t_j − y_j·x − b)² + λ|x − m|² + λ_b (b − b_m)².
struct Problem {
    StepFeatures features;
    std::vector<std::uint32_t> columns;
    std::vector<float> targets;
    Array<float> center;  // empty: zeros
    BiasedConjugateGradient::Ridge ridge;
    Eigen::MatrixXd system;
    Eigen::VectorXd right;
    double constant = 0;

    Problem(int factors, std::size_t n, float lambda, bool has_center) {
        Environment environment;
        features.copy(random_matrix(kFeatures, factors, 1), kUnit, environment);
        ridge.factors = lambda;
        ridge.bias = 2.0;
        const auto stride = FactorMatrix::padded(factors);
        if (has_center) {
            center = Array<float>(stride, 0.0f);
            for (int f = 0; f < factors; ++f)
                center[static_cast<std::size_t>(f)] = 0.1f * static_cast<float>(f % 5 - 1);
            ridge.center = center.data();
            ridge.center_bias = 0.3;
        }
        Random random(2);
        system = Eigen::MatrixXd::Zero(factors + 1, factors + 1);
        right = Eigen::VectorXd::Zero(factors + 1);
        for (int f = 0; f <= factors; ++f) {
            const double weight = f < factors ? static_cast<double>(lambda) : ridge.bias;
            const double to = f == factors ? ridge.center_bias
                              : has_center ? static_cast<double>(center[static_cast<std::size_t>(f)])
                                           : 0.0;
            system(f, f) = weight;
            right[f] = weight * to;
            constant += weight * to * to;
        }
        const Bfloat16Rows rows = features.rows();
        for (std::size_t j = 0; j < n; ++j) {
            columns.push_back(static_cast<std::uint32_t>(random.next() % kFeatures));
            targets.push_back(static_cast<float>(2 * random.uniform() - 0.5));
            Eigen::VectorXd y(factors + 1);
            for (int f = 0; f < factors; ++f)
                y[f] = static_cast<double>(rows.at(stride / kLanes, columns.back(), static_cast<std::size_t>(f)));
            y[factors] = 1;
            const auto target = static_cast<double>(targets.back());
            system += y * y.transpose();
            right += target * y;
            constant += target * target;
        }
    }
    double value(const Eigen::VectorXd& x) const { return constant - 2 * right.dot(x) + x.dot(system * x); }
};

TEST(BiasedConjugateGradientTest, ComesNearTheMinimumAndReportsTheValue) {
    for (const int factors : {1, 15, 16, 17, 64, 100, 129, 256, 300})
        for (const int n : {1, 15, 16, 17, 65, 1100, -1, -65, -1100}) {  // 1100: in two calls of the kernels
            SCOPED_TRACE(testing::Message() << factors << " factors, " << n << " entries; below 0: with a center");
            const Problem problem(factors, static_cast<std::size_t>(std::abs(n)), 100.0f, n < 0);
            BiasedConjugateGradient solver(factors);
            Array<float> x(FactorMatrix::padded(factors), 0.0f);
            for (int f = 0; f < factors; ++f) x[static_cast<std::size_t>(f)] = 0.01f * static_cast<float>(f % 7);
            const auto dense = [&](double bias) {
                Eigen::VectorXd result(factors + 1);
                for (int f = 0; f < factors; ++f) result[f] = static_cast<double>(x[static_cast<std::size_t>(f)]);
                result[factors] = bias;
                return result;
            };
            const double before = problem.value(dense(0));
            const double smallest = problem.value(problem.system.ldlt().solve(problem.right));
            BiasedConjugateGradient::Solution solution{};
            for (int calls = 0; calls < 4; ++calls)
                solution = solver.improve(problem.features, problem.columns, problem.targets, problem.ridge, x.data());
            const double after = problem.value(dense(solution.bias));
            EXPECT_NEAR(solution.value, after, 1e-5 * (before + 1));
            EXPECT_LE(after - smallest, 1e-2 * (before - smallest) + 1e-6);
            // The bias is the best for these factors.
            for (const double other : {solution.bias - 1e-3, solution.bias + 1e-3})
                EXPECT_GT(problem.value(dense(other)), after);
            for (std::size_t f = static_cast<std::size_t>(factors); f < x.size(); ++f) EXPECT_EQ(x[f], 0.0f);
        }
}

TEST(BiasedConjugateGradientTest, SaysWhereSinglePrecisionDoesNotSuffice) {
    Problem problem(8, 40, 1.0f, false);
    BiasedConjugateGradient solver(8);
    for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN(), 1e30f}) {
        Array<float> x(16, 0.0f);
        problem.targets[7] = bad;
        EXPECT_FALSE(std::isfinite(
            solver.improve(problem.features, problem.columns, problem.targets, problem.ridge, x.data()).value));
    }
}

// As those of users are where ratings are: squares would vanish in single precision.
TEST(StepFeaturesTest, TinyRowsAreNotLost) {
    FactorMatrix rows = random_matrix(50, 20, 3);
    for (std::size_t i = 0; i < 50 * rows.stride(); ++i) rows.row(0)[i] *= 1e-30f;
    Environment environment;
    StepFeatures features;
    features.copy(rows, 1e-30, environment);
    const Bfloat16Rows copy = features.rows();
    for (std::size_t f = 0; f < 20; ++f) {
        EXPECT_NEAR(copy.at(rows.stride() / kLanes, 0, f), rows.row(0)[f] * 1e30f,
                    0x1.0p-8f * std::abs(rows.row(0)[f] * 1e30f));
        EXPECT_GT(features.mean_squares()[f], 0.0f);
    }
}

TEST(StepFeaturesTest, MeanSquaresAreThoseOfTheRowsForAnyNumberOfThreads) {
    const FactorMatrix rows = random_matrix(9000, 20, 3);
    Array<float> first;
    for (const int threads : {1, 3}) {
        Environment environment;
        environment.threads = threads;
        StepFeatures features;
        features.copy(rows, 2.0, environment);
        for (std::size_t f = 0; f < rows.stride(); ++f) {
            double sum = 0;
            for (std::size_t r = 0; r < rows.rows(); ++r)
                sum += static_cast<double>(rows.row(r)[f]) * static_cast<double>(rows.row(r)[f]);
            EXPECT_NEAR(features.mean_squares()[f], sum / 9000 / 4, 1e-6 * sum);
        }
        if (threads == 1) {
            first = Array<float>(rows.stride());
            std::copy_n(features.mean_squares(), rows.stride(), first.data());
        }
        EXPECT_TRUE(std::equal(first.begin(), first.end(), features.mean_squares()));
    }
}

}  // namespace
}  // namespace mf
