// The promise of fold_in.hpp: the same bits as the stored row.
#include "core/training/als_fold_in.hpp"
#include "core/training/ials_fold_in.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <vector>

#include "core/retrieval/item_index.hpp"
#include "core/training/als.hpp"
#include "core/training/ials.hpp"
#include "unit/generated_data.hpp"

namespace mf {
namespace {

using test::history_of;
using test::make_csr;
using test::planted_ratings;

// Rows longer than several panels among them.
Csr sample() { return make_csr(planted_ratings(200, 400, 3, 0.4, 0.3, 11), 200, 400); }

TEST(FoldInTest, RatingFactorsEqualTheStoredRows) {
    const Csr by_user = sample();
    for (const int factors : {7, 64}) {
        Environment environment;
        environment.threads = 3;
        TrainOptions options;
        options.factors = factors;
        options.als.iterations = 3;
        const RatingModel model = train_als({by_user, transpose(by_user)}, options, environment);
        AlsFoldIn fold_in({model.items, model.item_bias}, model.scale.mean,
                          from_numbers<AlsParameters>(model.parameters));
        Array<float> row(FactorMatrix::padded(factors));
        for (std::uint32_t u = 0; u < by_user.rows(); ++u) {
            float bias;
            fold_in.solve(history_of(by_user, u), row.data(), &bias);
            ASSERT_TRUE(std::equal(row.begin(), row.end(), model.users.row(u))) << u;
            ASSERT_EQ(bias, model.user_bias[u]);
        }
    }
}

TEST(FoldInTest, RankingFactorsEqualTheStoredRows) {
    Csr by_user = sample();
    for (float& value : by_user.values) value = std::abs(value);
    for (const Feedback feedback : {Feedback::Explicit, Feedback::Implicit})
        for (const int factors : {7, 64}) {
            Environment environment;
            environment.threads = 3;
            TrainOptions options;
            options.feedback = feedback;
            options.factors = factors;
            options.ials.iterations = 3;
            const RankingModel model = train_ials({by_user, transpose(by_user)}, options, environment);
            const auto parameters = from_numbers<IalsParameters>(model.parameters);
            IalsFoldIn fold_in({model.items, {}, GramMatrix(model.items, environment)}, parameters);
            Array<float> row(FactorMatrix::padded(factors));
            for (std::uint32_t u = 0; u < by_user.rows(); ++u) {
                fold_in.solve(history_of(by_user, u), row.data());
                ASSERT_TRUE(std::equal(row.begin(), row.end(), model.users.row(u))) << u;
            }
        }
}

TEST(FoldInTest, ContributionsSumToTheScore) {
    Csr by_user = sample();
    for (float& value : by_user.values) value = std::abs(value);
    for (const Feedback feedback : {Feedback::Explicit, Feedback::Implicit})
        for (const int factors : {7, 64}) {
            Environment environment;
            TrainOptions options;
            options.feedback = feedback;
            options.factors = factors;
            options.ials.iterations = 3;
            const RankingModel model = train_ials({by_user, transpose(by_user)}, options, environment);
            const OwnedItemIndex index(model.items, environment);
            const auto parameters = from_numbers<IalsParameters>(model.parameters);
            IalsFoldIn fold_in({model.items, {}, GramMatrix(model.items, environment)}, parameters);
            IalsFoldIn by_position({index.get().rows(), index.get().positions(), GramMatrix(model.items, environment)},
                                   parameters);
            std::vector<float> contributions, others;
            for (std::uint32_t u = 0; u < by_user.rows(); u += 5) {
                const std::vector<HistoryEntry> history = history_of(by_user, u);
                contributions.resize(history.size());
                others.resize(history.size());
                for (std::uint32_t item = u % 7; item < by_user.column_count; item += 7) {
                    double score = 0, sum = 0, size = 1e-3;
                    for (int f = 0; f < factors; ++f)
                        score +=
                            static_cast<double>(model.users.row(u)[f]) * static_cast<double>(model.items.row(item)[f]);
                    fold_in.explain(history, item, contributions.data());
                    for (const float part : contributions) sum += static_cast<double>(part);
                    for (const float part : contributions) size += std::fabs(static_cast<double>(part));
                    ASSERT_NEAR(sum, score, 1e-4 * size) << u << ' ' << item;
                    by_position.explain(history, item, others.data());
                    ASSERT_EQ(contributions, others);
                }
            }
        }
}

/// The weights of interaction_weights(), in double precision.
std::vector<double> exact_weights(const std::vector<HistoryEntry>& history, Feedback feedback,
                                  const IalsParameters& parameters) {
    double sum = 0;
    for (const HistoryEntry& entry : history) sum += static_cast<double>(entry.value);
    std::vector<double> weights;
    for (const HistoryEntry& entry : history) {
        const auto value = static_cast<double>(entry.value);
        const double weight =
            feedback == Feedback::Implicit
                ? std::log1p(parameters.weight_slope * value * static_cast<double>(history.size()) / sum)
                : std::clamp(
                      1 + parameters.weight_slope * (value - parameters.weight_center) / parameters.weight_deviation,
                      0.1, 2.0);
        weights.push_back(parameters.weight_scale * weight);
    }
    return weights;
}

TEST(FoldInTest, ContributionsAreThoseOfADoublePrecisionSolution) {
    Csr by_user = sample();
    for (float& value : by_user.values) value = std::abs(value);
    for (const Feedback feedback : {Feedback::Explicit, Feedback::Implicit})
        for (const int factors : {5, 64}) {
            Environment environment;
            TrainOptions options;
            options.feedback = feedback;
            options.factors = factors;
            options.ials.iterations = 3;
            const RankingModel model = train_ials({by_user, transpose(by_user)}, options, environment);
            const auto parameters = from_numbers<IalsParameters>(model.parameters);
            IalsFoldIn fold_in({model.items, {}, GramMatrix(model.items, environment)}, parameters);
            Eigen::MatrixXd items(by_user.column_count, factors);
            for (Eigen::Index i = 0; i < items.rows(); ++i)
                for (Eigen::Index f = 0; f < factors; ++f)
                    items(i, f) = static_cast<double>(model.items.row(static_cast<std::size_t>(i))[f]);
            std::vector<float> contributions;
            for (std::uint32_t u = 0; u < by_user.rows(); u += 7) {
                const std::vector<HistoryEntry> history = history_of(by_user, u);
                const std::vector<double> weights = exact_weights(history, feedback, parameters);
                double weight_sum = 0;
                for (const double weight : weights) weight_sum += weight;
                Eigen::MatrixXd system = parameters.unobserved_weight * items.transpose() * items;
                system.diagonal().array() += parameters.regularization * std::pow(weight_sum, parameters.exponent);
                for (std::size_t j = 0; j < history.size(); ++j)
                    system += weights[j] * items.row(history[j].item).transpose() * items.row(history[j].item);
                const Eigen::LDLT<Eigen::MatrixXd> inverse(system);
                contributions.resize(history.size());
                for (std::uint32_t item = 0; item < by_user.column_count; item += 13) {
                    const Eigen::VectorXd solution = inverse.solve(items.row(item).transpose());
                    fold_in.explain(history, item, contributions.data());
                    double greatest = 0;
                    for (std::size_t j = 0; j < history.size(); ++j)
                        greatest = std::max(greatest, std::fabs(weights[j] * items.row(history[j].item).dot(solution)));
                    for (std::size_t j = 0; j < history.size(); ++j)
                        ASSERT_NEAR(static_cast<double>(contributions[j]),
                                    weights[j] * items.row(history[j].item).dot(solution), 1e-4 * greatest)
                            << u << ' ' << item << ' ' << j;
                }
            }
        }
}

TEST(FoldInTest, WithoutWeightNothingIsContributed) {
    const FactorMatrix items(3, 4);
    IalsParameters parameters;
    parameters.weight_slope = 1;
    const HistoryEntry history[] = {{0, 0.0f}, {2, 0.0f}};
    float contributions[] = {1, 1};
    Environment environment;
    IalsFoldIn({items, {}, GramMatrix(items, environment)}, parameters).explain(history, 1, contributions);
    EXPECT_EQ(contributions[0], 0.0f);
    EXPECT_EQ(contributions[1], 0.0f);
}

TEST(FoldInTest, AnEmptyHistoryGivesZeros) {
    const Csr by_user = sample();
    Environment environment;
    TrainOptions options;
    options.factors = 5;
    options.als.iterations = options.ials.iterations = 1;
    const RatingModel rating = train_als({by_user, transpose(by_user)}, options, environment);
    const RankingModel ranking = train_ials({by_user, transpose(by_user)}, options, environment);

    Array<float> row(FactorMatrix::padded(5), 1.0f);
    float bias = 1;
    AlsFoldIn({rating.items, rating.item_bias}, rating.scale.mean, from_numbers<AlsParameters>(rating.parameters))
        .solve({}, row.data(), &bias);
    EXPECT_EQ(bias, 0.0f);
    EXPECT_EQ(std::count(row.begin(), row.end(), 0.0f), 16);
    std::fill(row.begin(), row.end(), 1.0f);
    IalsFoldIn({ranking.items, {}, GramMatrix(ranking.items, environment)},
               from_numbers<IalsParameters>(ranking.parameters))
        .solve({}, row.data());
    EXPECT_EQ(std::count(row.begin(), row.end(), 0.0f), 16);
}

}  // namespace
}  // namespace mf
