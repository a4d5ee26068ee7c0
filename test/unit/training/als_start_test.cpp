#include "core/training/als_start.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <stdexcept>

#include "core/base/sums.hpp"
#include "core/data/value_statistics.hpp"
#include "core/training/factor_init.hpp"
#include "unit/generated_data.hpp"

namespace mf {
namespace {

using test::all_finite;
using test::Entry;
using test::make_csr;
using test::planted_ratings;
using test::same_bits;

struct Started {
    RatingModel model;
    double deviation = 0;
};

Started start(const Csr& by_user, int factors, Environment& environment, std::uint64_t seed = 1) {
    Started result;
    RatingModel& model = result.model;
    const ValueStatistics ratings = value_statistics(by_user.values, environment);
    result.deviation = ratings.deviation;
    model.scale.mean = ratings.mean;
    AlsParameters parameters;
    parameters.exponent = 0.5;
    parameters.bias_regularization = 0.5;
    model.users = FactorMatrix(by_user.rows(), factors);
    model.items = FactorMatrix(by_user.column_count, factors);
    model.user_bias = Array<float>(by_user.rows(), 0.0f);
    model.item_bias = Array<float>(by_user.column_count, 0.0f);
    start_als(by_user, transpose(by_user), parameters, ratings.deviation, seed, environment, model);
    return result;
}

// Root mean square of the rows' lengths.
double length(const FactorMatrix& matrix) {
    double sum = 0;
    for (std::size_t row = 0; row < matrix.rows(); ++row) sum += squared_norm(matrix.row(row), matrix.factors());
    return std::sqrt(sum / static_cast<double>(matrix.rows()));
}

// What of the planted user factors lies outside of the span of the columns: 0 nothing, 1 all.
double outside(const FactorMatrix& users, const Eigen::MatrixXd& planted) {
    Eigen::MatrixXd columns(users.rows(), users.factors());
    for (Eigen::Index u = 0; u < columns.rows(); ++u)
        for (int f = 0; f < users.factors(); ++f)
            columns(u, f) = static_cast<double>(users.row(static_cast<std::size_t>(u))[f]);
    const Eigen::MatrixXd basis = Eigen::HouseholderQR<Eigen::MatrixXd>(columns).householderQ() *
                                  Eigen::MatrixXd::Identity(columns.rows(), columns.cols());
    return (planted - basis * (basis.transpose() * planted)).squaredNorm() / planted.squaredNorm();
}

TEST(AlsStartTest, SpansThePlantedFactorsAsRandomOnesDoNot) {
    constexpr std::uint32_t kUsers = 500;
    constexpr int kRank = 4, kFactors = 8;
    Eigen::MatrixXd planted(kUsers, kRank);  // those of planted_ratings with seed 3
    for (std::uint32_t u = 0; u < kUsers; ++u) {
        Random random(3, (std::uint64_t{1} << 32) + u);
        for (int f = 0; f < kRank; ++f) planted(u, f) = random.normal();
    }
    const Csr by_user = make_csr(planted_ratings(kUsers, 300, kRank, 0.3, 0.5, 3), kUsers, 300);
    Environment environment;
    FactorMatrix random(kUsers, kFactors);
    fill_random(random, 1.0, 1, 1, environment);
    EXPECT_GT(outside(random, planted), 0.95);
    EXPECT_LT(outside(start(by_user, kFactors, environment).model.users, planted), 0.15);
}

TEST(AlsStartTest, FactorsHaveTheLengthOfRandomOnesAndBiasesAreShrunkenMeans) {
    const Csr by_user = make_csr(planted_ratings(120, 90, 3, 0.4, 0.3, 5), 120, 90);
    Environment environment;
    const Started started = start(by_user, 24, environment);
    FactorMatrix random(120, 24);
    fill_random(random, initial_scale(24) * started.deviation, 1, 1, environment);
    EXPECT_NEAR(length(started.model.users), length(random), 0.05 * length(random));

    const Csr by_item = transpose(by_user);
    const double mean = started.model.scale.mean;
    const auto shrunken = [](double sum, std::size_t n) {
        return sum / (static_cast<double>(n) + 0.5 * std::sqrt(static_cast<double>(n)));
    };
    std::vector<double> item_bias;
    for (std::uint32_t i = 0; i < 90; ++i) {
        double sum = 0;
        for (const float value : by_item.row_values(i)) sum += static_cast<double>(value) - mean;
        item_bias.push_back(shrunken(sum, by_item.row_size(i)));
    }
    for (std::uint32_t u = 0; u < 120; ++u) {
        double sum = 0;
        for (std::size_t j = 0; j < by_user.row_size(u); ++j)
            sum += static_cast<double>(by_user.row_values(u)[j]) - mean - item_bias[by_user.row_columns(u)[j]];
        EXPECT_NEAR(started.model.user_bias[u], shrunken(sum, by_user.row_size(u)), 1e-5);
    }
}

TEST(AlsStartTest, SameBitsForAnyNumberOfThreadsAndOthersForAnotherSeed) {
    const Csr by_user = make_csr(planted_ratings(700, 600, 3, 0.2, 0.3, 8), 700, 600);
    Environment environment;
    const Started expected = start(by_user, 20, environment);
    EXPECT_FALSE(same_bits(start(by_user, 20, environment, 2).model.users, expected.model.users));
    for (const int threads : {2, 3, 7}) {
        environment.threads = threads;
        const Started started = start(by_user, 20, environment);
        EXPECT_TRUE(same_bits(started.model.users, expected.model.users));
        EXPECT_TRUE(std::ranges::equal(started.model.user_bias, expected.model.user_bias));
    }
}

TEST(AlsStartTest, DegenerateDataGiveFactorsThatAreFiniteAndNotZero) {
    const auto expect_start = [](const std::vector<Entry>& entries, std::uint32_t users, std::uint32_t items,
                                 int factors) {
        Environment environment;
        const Started started = start(make_csr(entries, users, items), factors, environment);
        EXPECT_TRUE(all_finite(started.model.users));
        EXPECT_NEAR(length(started.model.users), 0.1 * started.deviation, 0.1 * started.deviation);
        EXPECT_GT(length(started.model.users), 0.0);
        return length(started.model.users) / started.deviation;
    };
    expect_start({{0, 0, 4.0f}}, 1, 1, 64);                                             // one rating
    expect_start({{0, 0, 1.0f}, {0, 1, 5.0f}, {0, 2, 2.0f}}, 1, 3, 8);                  // one user
    expect_start({{0, 0, 1.0f}, {1, 0, 5.0f}, {2, 0, 2.0f}}, 3, 1, 8);                  // one item
    expect_start({{0, 0, 0.1f}, {0, 1, 0.1f}, {1, 0, 0.1f}, {2, 1, 0.1f}}, 3, 2, 100);  // all equal, k > matrix
    expect_start({{0, 0, 1e30f}, {0, 1, -1e30f}, {1, 0, 3e29f}, {2, 1, 0.0f}}, 3, 2, 4);
    expect_start({{0, 0, 1e-30f}, {0, 1, -1e-30f}, {1, 0, 0.0f}}, 2, 2, 4);
    expect_start({{0, 0, 1.0f}, {2, 1, 2.0f}}, 4, 3, 4);  // rows and columns without entries
    // More factors than users and items together: the columns depend on each other.
    EXPECT_NEAR(expect_start(planted_ratings(30, 20, 3, 0.5, 0.3, 5), 30, 20, 128), 0.1, 1e-5);
}

TEST(AlsStartTest, WithoutResidualsTheFactorsAreRandomAndTheBiasesZero) {
    std::vector<Entry> entries;
    for (std::uint32_t u = 0; u < 30; ++u)
        for (std::uint32_t i = 0; i < 7; ++i) entries.push_back({u, (u + i) % 20, 2.0f});
    Environment environment;
    const Started first = start(make_csr(entries, 30, 20), 8, environment);
    for (Entry& entry : entries) entry.value = 3.5f;
    const Started second = start(make_csr(entries, 30, 20), 8, environment);
    EXPECT_TRUE(same_bits(first.model.users, second.model.users));
    EXPECT_GT(length(first.model.users), 0.0);
    for (const float bias : first.model.user_bias) EXPECT_EQ(bias, 0.0f);
}

TEST(AlsStartTest, ACancelLeavesAtOnce) {
    const Csr by_user = make_csr(planted_ratings(400, 300, 3, 0.2, 0.3, 8), 400, 300);
    Environment environment;
    environment.interrupted = [] { return true; };
    environment.checkpoint = [] { throw std::runtime_error("cancelled"); };
    EXPECT_THROW(start(by_user, 20, environment), std::runtime_error);
}

}  // namespace
}  // namespace mf
