// The map from features to factors, against Eigen in double precision, and items that are drawn to it.
#include "core/training/feature_map.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>
#include <vector>

#include "core/training/als_half_step.hpp"
#include "core/training/ials_half_step.hpp"
#include "unit/generated_data.hpp"

namespace mf {
namespace {

using test::Entry;
using test::make_csr;
using test::random_matrix;

constexpr std::uint32_t kItems = 500, kFeatures = 40;

FeatureValues some_values(double share = 0.1) {
    Random random(3);
    std::vector<Entry> entries;
    for (std::uint32_t item = 0; item < kItems; ++item)
        for (std::uint32_t f = 0; f < kFeatures; ++f)
            if (random.uniform() < share) entries.push_back({item, f, static_cast<float>(0.5 + random.uniform())});
    FeatureValues values{make_csr(entries, kItems, kFeatures), std::vector<bool>(kFeatures)};
    values.is_number[7] = true;
    return values;
}

Eigen::MatrixXd dense(const Csr& matrix) {
    Eigen::MatrixXd result = Eigen::MatrixXd::Zero(matrix.rows(), matrix.column_count);
    for (std::uint32_t r = 0; r < matrix.rows(); ++r)
        for (std::size_t j = 0; j < matrix.row_size(r); ++j)
            result(r, matrix.row_columns(r)[j]) = static_cast<double>(matrix.row_values(r)[j]);
    return result;
}

Eigen::MatrixXd dense(const FactorMatrix& matrix) {
    Eigen::MatrixXd result(matrix.rows(), matrix.factors());
    for (std::size_t r = 0; r < matrix.rows(); ++r)
        for (int f = 0; f < matrix.factors(); ++f)
            result(static_cast<Eigen::Index>(r), f) = static_cast<double>(matrix.row(r)[f]);
    return result;
}

TEST(SideFeaturesTest, NumbersAreStandardizedAndCategoriesHaveAMeanLengthOfOne) {
    const FeatureValues values = some_values();
    Environment environment;
    const std::vector<FeatureScale> scales = feature_scales(values, environment);
    const Csr scaled = scale_features(values.rows, scales, environment);
    ASSERT_EQ(scaled.column_count, kFeatures + 1);
    double sum = 0, squares = 0, count = 0, lengths = 0;
    for (std::uint32_t item = 0; item < kItems; ++item) {
        double length = 0;
        for (std::size_t j = 0; j < scaled.row_size(item); ++j) {
            const std::uint32_t column = scaled.row_columns(item)[j];
            const auto value = static_cast<double>(scaled.row_values(item)[j]);
            if (column == 7) {
                sum += value, squares += value * value, count += 1;
            } else if (column < kFeatures) {
                EXPECT_GT(value, 0.0);
                length += value * value;
            }
        }
        lengths += length;
        EXPECT_EQ(scaled.row_columns(item)[scaled.row_size(item) - 1], kFeatures);
        EXPECT_EQ(scaled.row_values(item)[scaled.row_size(item) - 1], 1.0f);
    }
    EXPECT_NEAR(sum / count, 0, 1e-6);
    EXPECT_NEAR(squares / count, 1, 1e-3);
    EXPECT_NEAR(lengths / kItems, 1, 0.02);  // a few items have no category
}

TEST(SideFeaturesTest, AFeatureOfAllItemsOrOfOneAndAConstantNumberAreHarmless) {
    Environment environment;
    std::vector<Entry> entries;
    for (std::uint32_t item = 0; item < 10; ++item)
        entries.push_back({item, 0, 1}), entries.push_back({item, 1, 1e30f});
    entries.push_back({3, 2, 1});
    const FeatureValues values{make_csr(entries, 10, 4), {false, true, false, false}};
    const Csr scaled = scale_features(values.rows, feature_scales(values, environment), environment);
    for (const float value : scaled.values) EXPECT_TRUE(std::isfinite(value) && std::fabs(value) < 5) << value;
    const FeatureValues none{make_csr({}, 10, 0), {}};
    EXPECT_EQ(scale_features(none.rows, feature_scales(none, environment), environment).entries(), 10u);
}

TEST(FeatureMapTest, IsTheRidgeRegressionOnTheItemsThatHaveFactors) {
    Environment environment;
    const FeatureValues values = some_values();
    const SideFeatures features = side_features(values, feature_scales(values, environment), environment);
    for (const int factors : {1, 16, 19}) {
        const FactorMatrix items = random_matrix(kItems, factors, 5);
        std::vector<bool> has_factors(kItems);
        Eigen::MatrixXd g = dense(features.by_row), y = dense(items);
        for (std::uint32_t item = 0; item < kItems; ++item) {
            has_factors[item] = item % 3 != 0;
            if (!has_factors[item]) g.row(item).setZero(), y.row(item).setZero();
        }
        const Eigen::MatrixXd system =
            g.transpose() * g + 2.5 * Eigen::MatrixXd::Identity(kFeatures + 1, kFeatures + 1);
        const Eigen::MatrixXd expected = system.ldlt().solve(g.transpose() * y);
        const FactorMatrix map = fit_feature_map(features, items, has_factors, 2.5, 60, environment);
        EXPECT_LE((dense(map) - expected).norm(), 1e-4 * expected.norm());
        const FactorMatrix rows = expected_factors(features.by_row, map, environment);
        EXPECT_LE((dense(rows) - dense(features.by_row) * dense(map)).norm(), 1e-4 * expected.norm());
        Array<float> row(map.stride());
        for (std::uint32_t item = 0; item < kItems; ++item) {
            expected_row(features.by_row.row_columns(item), features.by_row.row_values(item), map, row.data());
            EXPECT_EQ(std::memcmp(row.data(), rows.row(item), row.size() * sizeof(float)), 0) << item;
        }
        // A few steps come near.
        const FactorMatrix near = fit_feature_map(features, items, has_factors, 2.5, kMapSteps, environment);
        EXPECT_LE((dense(near) - expected).norm(), 0.2 * expected.norm());
    }
}

TEST(FeatureMapTest, SameBitsForAnyNumberOfThreads) {
    const FeatureValues values = some_values();
    const FactorMatrix items = random_matrix(kItems, 20, 5);
    const std::vector<bool> all(kItems, true);
    FactorMatrix first;
    for (const int threads : {1, 2, 3, 7}) {
        Environment environment;
        environment.threads = threads;
        const SideFeatures features = side_features(values, feature_scales(values, environment), environment);
        FactorMatrix map = fit_feature_map(features, items, all, 1, 10, environment);
        if (threads == 1)
            first = std::move(map);
        else
            EXPECT_TRUE(std::equal(first.row(0), first.row(0) + first.rows() * first.stride(), map.row(0)));
    }
}

// What a row is drawn to, in the systems of k rows; the others are in conjugate_gradient_test.cpp.
TEST(CenterTest, IalsRowsAndTheirValue) {
    Environment environment;
    constexpr int kFactors = 20;
    const FactorMatrix features = random_matrix(200, kFactors, 1), center = random_matrix(1, kFactors, 9);
    const GramMatrix gram(features, environment);
    IalsParameters parameters;
    parameters.unobserved_weight = 0.1, parameters.regularization = 2, parameters.exponent = 0.5;
    const std::vector<std::uint32_t> columns{3, 5, 8, 100};
    const std::vector<float> weights{1, 2, 0.5f, 3};
    Eigen::MatrixXd y = dense(features);
    const double ridge = 2 * std::sqrt(6.5);
    const Eigen::VectorXd to = dense(center).row(0);
    Eigen::MatrixXd system = 0.1 * y.transpose() * y + ridge * Eigen::MatrixXd::Identity(kFactors, kFactors);
    Eigen::VectorXd right = ridge * to;
    for (std::size_t j = 0; j < columns.size(); ++j) {
        const Eigen::VectorXd row = y.row(columns[j]);
        system += static_cast<double>(weights[j]) * row * row.transpose();
        right += static_cast<double>(weights[j]) * row;
    }
    const Eigen::VectorXd solution = system.ldlt().solve(right);
    IalsWorkspace workspace(kFactors);
    Array<float> x(32);
    const ObjectiveParts parts = solve_ials_row(ials_users_step(gram, parameters), features, columns, weights,
                                                workspace, center.row(0), x.data());
    for (int f = 0; f < kFactors; ++f)
        EXPECT_NEAR(static_cast<double>(x[static_cast<std::size_t>(f)]), solution[f], 1e-4);
    EXPECT_NEAR(parts.fit, 6.5 + ridge * to.squaredNorm() - right.dot(solution), 1e-3);
    EXPECT_NEAR(parts.penalty, ridge * (solution - to).squaredNorm(), 1e-3);
}

TEST(CenterTest, AlsRowsWithTheirBias) {
    constexpr int kFactors = 3;
    const FactorMatrix features = random_matrix(50, kFactors, 1), center = random_matrix(1, kFactors, 9);
    const std::vector<float> biases(50, 0.25f);
    const std::vector<std::uint32_t> columns{3, 5, 8, 20, 30};
    const std::vector<float> values{1, 2, 5, 4, 3};
    const AlsParameters parameters{1.5, 0.5, 0.7};
    const AlsHalfStep step = als_items_step(parameters, 3.0, 2.0);
    const double power = std::sqrt(5.0);
    // The unknowns are the factors and the bias over σ.
    Eigen::MatrixXd rows(5, kFactors + 1);
    Eigen::VectorXd targets(5);
    for (int j = 0; j < 5; ++j) {
        rows.row(j).head(kFactors) = dense(features).row(columns[static_cast<std::size_t>(j)]) / 2;
        rows(j, kFactors) = 1;
        targets[j] = (static_cast<double>(values[static_cast<std::size_t>(j)]) - 3 - 0.25) / 2;
    }
    Eigen::VectorXd to(kFactors + 1), ridge(kFactors + 1);
    to << dense(center).row(0).transpose(), 0.4 / 2;
    ridge << Eigen::VectorXd::Constant(kFactors, 1.5 * power), 0.7 * power;
    const Eigen::MatrixXd system = rows.transpose() * rows + Eigen::MatrixXd(ridge.asDiagonal());
    const Eigen::VectorXd solution = system.ldlt().solve(rows.transpose() * targets + ridge.cwiseProduct(to));
    NormalEquations workspace(kFactors);
    Array<float> x(16);
    float bias = 0;
    const ObjectiveParts parts =
        solve_als_row(step, {features, biases}, columns, values, workspace, {center.row(0), 0.4f}, x.data(), &bias);
    for (int f = 0; f < kFactors; ++f)
        EXPECT_NEAR(static_cast<double>(x[static_cast<std::size_t>(f)]), solution[f], 1e-5);
    EXPECT_NEAR(static_cast<double>(bias), 2 * solution[kFactors], 1e-5);
    const double penalty = (solution - to).cwiseAbs2().dot(ridge);
    EXPECT_NEAR(parts.penalty, penalty, 1e-4);
    EXPECT_NEAR(parts.fit, (targets - rows * solution).squaredNorm() + penalty, 1e-4);
}

// An item that only its features are known of has a row of each kind of factors, and the regression of factors with
// biases has them joined.
TEST(FeatureMapTest, BytesOfExplicitFeedbackHaveARowMoreForEachItem) {
    const auto bytes = [](Feedback feedback) { return feature_bytes(1000, 50, 4000, 32, feedback); };
    EXPECT_EQ(bytes(Feedback::Explicit) - bytes(Feedback::Implicit), 1000.0 * 4 * 48);
}

TEST(SideFeaturesTest, MillionsOfEntriesHaveCheckpoints) {
    constexpr std::uint32_t kRows = 4096, kColumns = 1024;
    FeatureValues values;
    values.rows.column_count = kColumns;
    values.rows.offsets = Array<std::uint64_t>(kRows + 1);
    for (std::uint32_t row = 0; row <= kRows; ++row) values.rows.offsets[row] = std::uint64_t{row} * kColumns;
    values.rows.columns = Array<std::uint32_t>(kRows * kColumns);
    values.rows.values = Array<float>(kRows * kColumns, 1.0f);
    for (std::uint32_t j = 0; j < kRows * kColumns; ++j) values.rows.columns[j] = j % kColumns;
    values.is_number.assign(kColumns, false);
    Environment environment;
    int looks = 0;
    environment.interrupted = [&] { return ++looks < 0; };
    environment.checkpoint = [] {};
    const std::vector<FeatureScale> scales = feature_scales(values, environment);
    EXPECT_GE(std::exchange(looks, 0), 8);
    scale_features(values.rows, scales, environment);
    EXPECT_GE(std::exchange(looks, 0), 4);

    std::vector<std::uint32_t> all(kRows);
    std::iota(all.begin(), all.end(), 0u);
    take_rows(values, all, kRows, environment);
    EXPECT_GE(std::exchange(looks, 0), 4);
    IdTable names(IdKind::Integer), rows(IdKind::Integer);
    for (std::int64_t column = 0; column < kColumns; ++column) names.intern(column);
    for (std::int64_t row = 0; row < kRows; ++row) rows.intern(row);
    const Csr same = with_columns(values.rows, names, names, environment);
    EXPECT_GE(std::exchange(looks, 0), 8);
    FeatureRows features{Dataset{IdTable(IdKind::Integer), IdTable(IdKind::Integer), {}, {}, 0}, values.is_number};
    for (std::int64_t row = 0; row < kRows; ++row) features.rows.users.intern(row);
    features.rows.by_user = std::move(values.rows);
    values_of_ids(features, rows, environment);
    EXPECT_GE(std::exchange(looks, 0), 4);
}

}  // namespace
}  // namespace mf
