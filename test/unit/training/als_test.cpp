#include "core/base/sums.hpp"
#include "core/training/als.hpp"
#include "core/training/als_half_step.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <stdexcept>

#include "core/base/error.hpp"
#include "core/evaluation/metrics.hpp"
#include "core/training/factor_init.hpp"
#include "unit/generated_data.hpp"

namespace mf {
namespace {

using test::all_finite;
using test::Entry;
using test::make_csr;
using test::planted_ratings;
using test::same_bits;

TrainOptions small_options(int factors, int iterations) {
    TrainOptions options;
    options.factors = factors;
    options.als.iterations = iterations;
    return options;
}

RatingModel train(const Csr& by_user, const TrainOptions& options, int threads = 1) {
    Environment environment;
    environment.threads = threads;
    return train_als({by_user, transpose(by_user)}, options, environment);
}

// The joint system of factors and bias, solved in double precision with the bias as one more column.
Eigen::VectorXd plain_row(const RatingModel& model, const Csr& by_user, std::uint32_t user) {
    const int k = model.items.factors();
    const auto parameters = from_numbers<AlsParameters>(model.parameters);
    const auto columns = by_user.row_columns(user);
    const auto values = by_user.row_values(user);
    const double power = std::pow(static_cast<double>(columns.size()), parameters.exponent);
    Eigen::MatrixXd system = Eigen::MatrixXd::Identity(k + 1, k + 1) * (parameters.regularization * power);
    system(k, k) = parameters.bias_regularization * power;
    Eigen::VectorXd right = Eigen::VectorXd::Zero(k + 1);
    for (std::size_t j = 0; j < columns.size(); ++j) {
        Eigen::VectorXd row(k + 1);
        for (int f = 0; f < k; ++f) row[f] = static_cast<double>(model.items.row(columns[j])[f]);
        row[k] = 1;
        system += row * row.transpose();
        right += row *
                 (static_cast<double>(values[j]) - model.scale.mean - static_cast<double>(model.item_bias[columns[j]]));
    }
    return system.ldlt().solve(right);
}

TEST(AlsTest, UsersSolveTheirJointSystems) {
    for (const int factors : {1, 5, 16, 33}) {
        const Csr by_user = make_csr(planted_ratings(60, 90, 3, 0.4, 0.3, 5), 60, 90);
        const RatingModel model = train(by_user, small_options(factors, 3));
        for (std::uint32_t u = 0; u < by_user.rows(); ++u) {
            const Eigen::VectorXd expected = plain_row(model, by_user, u);
            for (int f = 0; f < factors; ++f) ASSERT_NEAR(model.users.row(u)[f], expected[f], 1e-3);
            ASSERT_NEAR(model.user_bias[u], expected[factors], 1e-3);
        }
    }
}

TEST(AlsTest, ReportedLossIsTheObjectiveAndNeverRises) {
    const Csr by_user = make_csr(planted_ratings(80, 120, 3, 0.3, 0.3, 6), 80, 120);
    const Csr by_item = transpose(by_user);
    Environment environment;
    std::vector<double> losses;
    environment.on_iteration = [&](const Iteration& report) {
        EXPECT_STREQ(report.phase, "rating factors");
        EXPECT_EQ(report.iteration, static_cast<int>(losses.size()) + 1);
        EXPECT_EQ(report.total, 15);
        EXPECT_TRUE(std::isnan(report.test_metric));
        losses.push_back(report.loss);
        return true;
    };
    const TrainOptions options = small_options(8, 15);
    const RatingModel model = train_als({by_user, by_item}, options, environment);
    ASSERT_EQ(losses.size(), 15u);
    EXPECT_EQ(model.iterations, 15);
    // Up to the rounding of steps that read 8 significant bits.
    for (std::size_t i = 1; i < losses.size(); ++i) EXPECT_LE(losses[i], losses[i - 1] * (1 + 1e-4));

    double variance = 0;
    for (const float value : by_user.values) variance += std::pow(static_cast<double>(value) - model.scale.mean, 2);
    variance /= static_cast<double>(by_user.entries());
    double objective = 0;
    const auto add_penalty = [&](const Csr& rows, const FactorMatrix& factors, const Array<float>& bias, double unit) {
        for (std::uint32_t r = 0; r < rows.rows(); ++r) {
            const double power = std::pow(static_cast<double>(rows.row_size(r)), options.als.regularization_exponent);
            const double b = static_cast<double>(bias[r]);
            objective += power * (options.als.regularization * unit * squared_norm(factors.row(r), 8) +
                                  options.als.bias_regularization * b * b);
        }
    };
    add_penalty(by_user, model.users, model.user_bias, 1);
    add_penalty(by_item, model.items, model.item_bias, variance);
    for (std::uint32_t u = 0; u < by_user.rows(); ++u)
        for (std::size_t j = 0; j < by_user.row_size(u); ++j) {
            const std::uint32_t i = by_user.row_columns(u)[j];
            double error = static_cast<double>(by_user.row_values(u)[j]) - model.scale.mean -
                           static_cast<double>(model.user_bias[u]) - static_cast<double>(model.item_bias[i]);
            for (int f = 0; f < 8; ++f)
                error -= static_cast<double>(model.users.row(u)[f]) * static_cast<double>(model.items.row(i)[f]);
            objective += error * error;
        }
    EXPECT_NEAR(losses.back(), objective / static_cast<double>(by_user.entries()), 1e-4 * losses.back());
}

TEST(AlsTest, RecoversAPlantedModel) {
    std::vector<Entry> entries = planted_ratings(300, 200, 4, 0.4, 0.05, 7);
    std::vector<Entry> kept, held;
    for (std::size_t e = 0; e < entries.size(); ++e) (e % 10 == 0 ? held : kept).push_back(entries[e]);
    TrainOptions options = small_options(6, 30);
    options.als.regularization = 0.01;
    const RatingModel model = train(make_csr(kept, 300, 200), options);
    Environment environment;
    EXPECT_LT(measure_predictions(model, make_csr(held, 300, 200), environment).rmse(),
              0.15);  // the ratings' deviation is above 1
}

TEST(AlsTest, SameBitsForAnyNumberOfThreads) {
    const Csr by_user = make_csr(planted_ratings(400, 300, 3, 0.2, 0.3, 8), 400, 300);
    const RatingModel expected = train(by_user, small_options(20, 3));
    for (const int threads : {1, 2, 3, 7}) {
        const RatingModel model = train(by_user, small_options(20, 3), threads);
        EXPECT_TRUE(same_bits(model.users, expected.users));
        EXPECT_TRUE(same_bits(model.items, expected.items));
        EXPECT_TRUE(std::equal(model.user_bias.begin(), model.user_bias.end(), expected.user_bias.begin()));
        EXPECT_TRUE(std::equal(model.item_bias.begin(), model.item_bias.end(), expected.item_bias.begin()));
    }
    TrainOptions other_seed = small_options(20, 3);
    other_seed.seed = 2;
    EXPECT_FALSE(same_bits(train(by_user, other_seed).users, expected.users));
}

// Twice the unit of the ratings gives the same model, twice as large: λ has no unit.
TEST(AlsTest, TheUnitOfTheRatingsDoesNotMatter) {
    std::vector<Entry> entries = planted_ratings(60, 90, 3, 0.4, 0.3, 5);
    const RatingModel model = train(make_csr(entries, 60, 90), small_options(8, 5));
    for (Entry& entry : entries) entry.value *= 1024.0f;
    const RatingModel scaled = train(make_csr(entries, 60, 90), small_options(8, 5));
    EXPECT_TRUE(same_bits(model.items, scaled.items));
    for (std::uint32_t u = 0; u < 60; ++u)
        for (int f = 0; f < 8; ++f) EXPECT_EQ(model.users.row(u)[f] * 1024.0f, scaled.users.row(u)[f]);
}

TEST(AlsTest, StopsWhenAskedAndKeepsWhatItHas) {
    const Csr by_user = make_csr(planted_ratings(40, 30, 2, 0.5, 0.3, 9), 40, 30);
    Environment environment;
    int reports = 0;
    environment.on_iteration = [&](const Iteration&) { return ++reports < 2; };
    const RatingModel model = train_als({by_user, transpose(by_user)}, small_options(4, 10), environment);
    EXPECT_EQ(reports, 2);
    EXPECT_EQ(model.iterations, 2);
    EXPECT_TRUE(same_bits(model.users, train(by_user, small_options(4, 2)).users));
}

RatingModel train_from(const RatingModel& earlier, const Csr& by_user, const TrainOptions& options,
                       Environment& environment) {
    RatingStart start{copy_of(earlier.items, environment), copy_of(earlier.item_bias)};
    return train_als({by_user, transpose(by_user)}, options, environment, {}, &start);
}

TEST(AlsTest, AWarmStartReachesInAThirdOfTheIterationsWhatAColdOneReaches) {
    // One in twenty ratings is new, and so are all of five items.
    const std::vector<Entry> entries = planted_ratings(400, 300, 5, 0.2, 0.3, 12);
    std::vector<Entry> old_entries;
    for (std::size_t e = 0; e < entries.size(); ++e)
        if (e % 20 != 7 && entries[e].item % 60 != 31) old_entries.push_back(entries[e]);
    const Csr before = make_csr(old_entries, 400, 300), after = make_csr(entries, 400, 300);
    for (const int iterations : {4, 8, 15}) {
        const RatingModel earlier = train(before, small_options(16, iterations));
        for (int f = 0; f < 16; ++f) ASSERT_EQ(earlier.items.row(31)[f], 0.0f);
        double loss = 0;
        Environment environment;
        environment.on_iteration = [&](const Iteration& report) {
            loss = report.loss;
            return true;
        };
        train_als({after, transpose(after)}, small_options(16, iterations), environment);
        const double cold = loss;
        const int third = (iterations + 2) / 3;
        const RatingModel warm = train_from(earlier, after, small_options(16, third), environment);
        EXPECT_LE(loss, cold * (1 + 1e-6)) << iterations;  // after 15 both have converged to single precision
        EXPECT_EQ(warm.iterations, third);
        EXPECT_GT(squared_norm(warm.items.row(31), 16), 0.0);
        EXPECT_EQ(warm.scale.mean, train(after, small_options(16, 1)).scale.mean);

        environment.threads = 3;
        const RatingModel threaded = train_from(earlier, after, small_options(16, third), environment);
        EXPECT_TRUE(same_bits(threaded.users, warm.users));
        EXPECT_TRUE(same_bits(threaded.items, warm.items));
        EXPECT_TRUE(std::equal(warm.item_bias.begin(), warm.item_bias.end(), threaded.item_bias.begin()));
    }
}

TEST(AlsTest, AStartOfZerosIsNoneAndAnotherShapeIsRefused) {
    const Csr by_user = make_csr(planted_ratings(40, 30, 2, 0.5, 0.3, 9), 40, 30);
    Environment environment;
    RatingModel nothing;
    nothing.items = FactorMatrix(30, 4);
    nothing.item_bias = Array<float>(30, 0.0f);
    EXPECT_TRUE(same_bits(train_from(nothing, by_user, small_options(4, 2), environment).users,
                          train(by_user, small_options(4, 2)).users));
    EXPECT_THROW(train_from(nothing, by_user, small_options(5, 2), environment), std::logic_error);
    nothing.item_bias = Array<float>(29, 0.0f);
    EXPECT_THROW(train_from(nothing, by_user, small_options(4, 2), environment), std::logic_error);
}

TEST(AlsTest, KeepsTheBestIteration) {
    const Csr by_user = make_csr(planted_ratings(40, 30, 2, 0.5, 0.3, 9), 40, 30);
    Environment environment;
    const double metrics[] = {3, 1, 2, 1.5, 0.1};
    int calls = 0;
    std::vector<double> reported;
    environment.on_iteration = [&](const Iteration& report) {
        reported.push_back(report.test_metric);
        return true;
    };
    const RatingModel model = train_als({by_user, transpose(by_user)}, small_options(4, 10), environment,
                                        [&](const RatingModel&) { return metrics[calls++]; });
    EXPECT_EQ(reported, std::vector<double>({3, 1, 2, 1.5}));
    EXPECT_EQ(model.iterations, 2);
    const RatingModel expected = train(by_user, small_options(4, 2));
    EXPECT_TRUE(same_bits(model.users, expected.users));
    EXPECT_TRUE(same_bits(model.items, expected.items));
}

TEST(AlsTest, ACancelLeavesAtOnce) {
    const Csr by_user = make_csr(planted_ratings(400, 300, 3, 0.2, 0.3, 8), 400, 300);
    Environment environment;
    environment.threads = 2;
    int asked = 0;
    environment.interrupted = [&] { return ++asked > 20; };
    environment.checkpoint = [] { throw std::runtime_error("cancelled"); };
    EXPECT_THROW(train_als({by_user, transpose(by_user)}, small_options(20, 1000), environment), std::runtime_error);
    EXPECT_LT(asked, 1000);
}

TEST(AlsTest, DegenerateDataGivesAFiniteModel) {
    const auto expect_finite = [](const std::vector<Entry>& entries, std::uint32_t users, std::uint32_t items,
                                  int factors) {
        const RatingModel model = train(make_csr(entries, users, items), small_options(factors, 5));
        EXPECT_TRUE(all_finite(model.users));
        EXPECT_TRUE(all_finite(model.items));
        for (const Entry& entry : entries) {
            const double predicted = predict_rating(model, entry.user, entry.item);
            EXPECT_GE(predicted, model.scale.minimum);
            EXPECT_LE(predicted, model.scale.maximum);
        }
    };
    expect_finite({{0, 0, 4.0f}}, 1, 1, 64);                                             // one rating
    expect_finite({{0, 0, 1.0f}, {0, 1, 5.0f}, {0, 2, 2.0f}}, 1, 3, 8);                  // one user
    expect_finite({{0, 0, 1.0f}, {1, 0, 5.0f}, {2, 0, 2.0f}}, 3, 1, 8);                  // one item
    expect_finite({{0, 0, 0.1f}, {0, 1, 0.1f}, {1, 0, 0.1f}, {2, 1, 0.1f}}, 3, 2, 100);  // all equal, k > matrix
    expect_finite({{0, 0, 0.0f}, {1, 1, 0.0f}}, 2, 2, 4);                                // all zero
    expect_finite({{0, 0, 1e30f}, {0, 1, -1e30f}, {1, 0, 3e29f}, {2, 1, 0.0f}}, 3, 2, 4);
    expect_finite({{0, 0, 1e-30f}, {0, 1, -1e-30f}, {1, 0, 0.0f}}, 2, 2, 4);
    expect_finite({{0, 0, 1.0f}, {2, 1, 2.0f}}, 4, 3, 4);  // rows and columns without entries
}

// The largest floats: a bias may be beyond them. Refused or finite, never NaN.
TEST(AlsTest, TheLargestFloatsAreRefusedOrFinite) {
    try {
        const RatingModel model =
            train(make_csr({{0, 0, 3e38f}, {0, 1, -3e38f}, {1, 0, 3e38f}}, 2, 2), small_options(4, 5));
        EXPECT_TRUE(all_finite(model.users) && all_finite(model.items));
    } catch (const NumericalFailure& failure) {
        EXPECT_NE(failure.hint().find("rescale the ratings"), std::string::npos);
    }
}

TEST(AlsTest, EqualRatingsArePredictedExactly) {
    std::vector<Entry> entries;
    for (std::uint32_t u = 0; u < 30; ++u)
        for (std::uint32_t i = 0; i < 7; ++i) entries.push_back({u, (u + i) % 20, 3.7f});
    const RatingModel model = train(make_csr(entries, 30, 20), small_options(8, 5));
    EXPECT_EQ(predict_rating(model, 0, 10), static_cast<double>(3.7f));
}

TEST(AlsTest, WithoutRegularizationTheErrorSaysWhatToDo) {
    TrainOptions options = small_options(16, 3);
    options.als.regularization = 0;  // below what validate() lets pass
    options.als.bias_regularization = 0;
    try {
        train(make_csr({{0, 0, 1.0f}, {0, 1, 2.0f}, {1, 0, 4.0f}}, 2, 2), options);
        FAIL() << "no error";
    } catch (const NumericalFailure& failure) {
        EXPECT_NE(std::string(failure.what()).find("of the rating factors of one "), std::string::npos)
            << failure.what();
        EXPECT_NE(failure.hint().find("Raise regularization"), std::string::npos);
    }
}

}  // namespace
}  // namespace mf
