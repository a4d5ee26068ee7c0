// Items solved alone get what the items' half-step of a training run gives them.
#include "core/training/item_step.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "core/base/error.hpp"
#include "core/training/als.hpp"
#include "core/training/factor_init.hpp"
#include "core/training/ials.hpp"
#include "core/training/ials_half_step.hpp"
#include "unit/generated_data.hpp"

namespace mf {
namespace {

using test::make_csr;
using test::planted_ratings;

constexpr std::uint32_t kUsers = 120, kItems = 150;

Csr sample() {
    std::vector<test::Entry> entries = planted_ratings(kUsers, kItems, 3, 0.4, 0.3, 7);
    for (test::Entry& entry : entries) entry.value = std::abs(entry.value);
    return make_csr(entries, kUsers, kItems);
}

std::vector<std::uint32_t> all_items() {
    std::vector<std::uint32_t> items(kItems);
    std::iota(items.begin(), items.end(), 0u);
    return items;
}

RankingModel train_ranking(const Csr& by_user, Feedback feedback, int factors, Environment& environment) {
    TrainOptions options;
    options.feedback = feedback;
    options.factors = factors;
    options.ials.iterations = 3;
    return train_ials({by_user, transpose(by_user)}, options, environment);
}

RankingUsers users_of(const RankingModel& model, Environment& environment) {
    return {model.users, GramMatrix(model.users, environment), model.users.rows()};
}

TEST(ItemStepTest, RankingFactorsAreThoseOfAHalfStep) {
    const Csr by_user = sample();
    for (const Feedback feedback : {Feedback::Explicit, Feedback::Implicit})
        for (const int factors : {5, 33}) {
            Environment environment;
            environment.threads = 3;
            const RankingModel model = train_ranking(by_user, feedback, factors, environment);
            const auto parameters = from_numbers<IalsParameters>(model.parameters);
            const RankingUsers users = users_of(model, environment);
            const FactorMatrix all = solve_items({by_user, all_items()}, users, parameters, environment);

            // Of the whole matrix, by the step that a training run takes.
            TrainOptions options;
            options.feedback = feedback;
            options.factors = factors;
            const Csr by_item = transpose(by_user);
            const IalsData data = prepare_ials(by_user, by_item, options, environment);
            FactorMatrix expected(kItems, factors);
            IalsWorkspace workspace(factors);
            solve_block(ials_items_step(users.gram, data.parameters, kUsers), by_item.with_values(data.item_weights),
                        model.users, workspace, {}, expected);
            for (std::uint32_t item = 0; item < kItems; ++item)
                for (int f = 0; f < factors; ++f)
                    ASSERT_NEAR(all.row(item)[f], expected.row(item)[f], 1e-5) << item << " " << f;
        }
}

TEST(ItemStepTest, SomeItemsGetTheSameBitsAsAll) {
    const Csr by_user = sample();
    Environment environment;
    environment.threads = 3;
    const RankingModel ranking = train_ranking(by_user, Feedback::Implicit, 16, environment);
    const RankingUsers users = users_of(ranking, environment);
    const auto parameters = from_numbers<IalsParameters>(ranking.parameters);
    TrainOptions options;
    options.factors = 16;
    const RatingModel rating = train_als({by_user, transpose(by_user)}, options, environment);
    const auto als = from_numbers<AlsParameters>(rating.parameters);
    const RatingUsers rating_users{rating.users, rating.user_bias};

    const FactorMatrix all = solve_items({by_user, all_items()}, users, parameters, environment);
    const RatingItemRows all_ratings =
        solve_items({by_user, all_items()}, rating_users, rating.scale, als, environment);
    const std::vector<std::uint32_t> some{0, 7, 8, 149};
    const FactorMatrix few = solve_items({by_user, some}, users, parameters, environment);
    const RatingItemRows few_ratings = solve_items({by_user, some}, rating_users, rating.scale, als, environment);
    ASSERT_EQ(few.rows(), some.size());
    for (std::size_t r = 0; r < some.size(); ++r) {
        ASSERT_TRUE(std::equal(few.row(r), few.row(r) + few.stride(), all.row(some[r])));
        ASSERT_TRUE(std::equal(few_ratings.factors.row(r), few_ratings.factors.row(r) + few.stride(),
                               all_ratings.factors.row(some[r])));
        ASSERT_EQ(few_ratings.bias[r], all_ratings.bias[some[r]]);
    }
}

// The objective of als.hpp falls when one side is solved, whichever it was last.
TEST(ItemStepTest, RatingFactorsLowerTheObjective) {
    const Csr by_user = sample();
    Environment environment;
    TrainOptions options;
    options.factors = 8;
    options.als.iterations = 2;
    RatingModel model = train_als({by_user, transpose(by_user)}, options, environment);
    const auto parameters = from_numbers<AlsParameters>(model.parameters);
    const auto objective = [&](const FactorMatrix& items, const Array<float>& bias) {
        double sum = 0;
        const Csr by_item = transpose(by_user);
        for (std::uint32_t i = 0; i < kItems; ++i) {
            const double n = static_cast<double>(by_item.row_size(i));
            double squares = 0;
            for (int f = 0; f < 8; ++f) squares += std::pow(static_cast<double>(items.row(i)[f]), 2);
            const double unit = model.scale.deviation;
            sum += std::pow(n, parameters.exponent) *
                   (parameters.regularization * unit * unit * squares +
                    parameters.bias_regularization * std::pow(static_cast<double>(bias[i]), 2));
            for (std::size_t j = 0; j < by_item.row_size(i); ++j) {
                const std::uint32_t u = by_item.row_columns(i)[j];
                double error = static_cast<double>(by_item.row_values(i)[j]) - model.scale.mean -
                               static_cast<double>(bias[i]) - static_cast<double>(model.user_bias[u]);
                for (int f = 0; f < 8; ++f)
                    error -= static_cast<double>(items.row(i)[f]) * static_cast<double>(model.users.row(u)[f]);
                sum += error * error;
            }
        }
        return sum;
    };
    const RatingItemRows solved =
        solve_items({by_user, all_items()}, {model.users, model.user_bias}, model.scale, parameters, environment);
    const double after = objective(solved.factors, solved.bias);
    EXPECT_LT(after, objective(model.items, model.item_bias));
    // The least: whatever direction it is moved in, it grows.
    for (const float step : {-0.01f, 0.01f}) {
        FactorMatrix moved = copy_of(solved.factors, environment);
        for (std::uint32_t i = 0; i < kItems; ++i) moved.row(i)[i % 8] += step;
        EXPECT_GT(objective(moved, solved.bias), after);
        Array<float> bias = copy_of(solved.bias);
        for (float& value : bias) value += step;
        EXPECT_GT(objective(solved.factors, bias), after);
    }
}

TEST(ItemStepTest, ItemsOfUsersWithoutFactorsAreZero) {
    const Csr by_user = make_csr({{0, 0, 1}, {0, 1, 1}, {1, 1, 1}}, 2, 2);
    Environment environment;
    const FactorMatrix users(2, 4);
    IalsParameters parameters;
    parameters.unobserved_weight = 0.1;
    parameters.item_regularization = 0.5;
    const std::vector<std::uint32_t> items{1};
    const FactorMatrix rows =
        solve_items({by_user, items}, {users, GramMatrix(users, environment), 2}, parameters, environment);
    ASSERT_EQ(rows.rows(), 1u);
    for (int f = 0; f < 4; ++f) EXPECT_EQ(rows.row(0)[f], 0.0f);
}

}  // namespace
}  // namespace mf
