#include "core/base/sums.hpp"
#include "core/training/ials.hpp"
#include "core/training/ials_half_step.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/base/error.hpp"
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
    options.ials.iterations = iterations;
    return options;
}

RankingModel train(const Csr& by_user, TrainOptions options, int threads = 1, Feedback feedback = Feedback::Explicit) {
    options.feedback = feedback;
    Environment environment;
    environment.threads = threads;
    return train_ials({by_user, transpose(by_user)}, options, environment);
}

Eigen::MatrixXd dense(const FactorMatrix& matrix) {
    Eigen::MatrixXd result(matrix.rows(), matrix.factors());
    for (Eigen::Index r = 0; r < result.rows(); ++r)
        for (Eigen::Index f = 0; f < result.cols(); ++f)
            result(r, f) = static_cast<double>(matrix.row(static_cast<std::size_t>(r))[f]);
    return result;
}

struct Plain : IalsData {
    explicit Plain(const Csr& by_user, Feedback feedback, TrainOptions options) {
        Environment environment;
        options.feedback = feedback;
        static_cast<IalsData&>(*this) = prepare_ials(by_user, transpose(by_user), options, environment);
    }
    double weight(const Csr& by_user, std::uint32_t user, std::size_t j) const {
        return static_cast<double>(user_weights[by_user.offsets[user] + j]);
    }
    double user_ridge(const Csr& by_user, std::uint32_t user) const {
        double sum = 0;
        for (std::size_t j = 0; j < by_user.row_size(user); ++j) sum += weight(by_user, user, j);
        return parameters.regularization * std::pow(sum, parameters.exponent);
    }
};

TEST(IalsTest, UsersSolveTheirSystems) {
    for (const Feedback feedback : {Feedback::Explicit, Feedback::Implicit})
        for (const int factors : {1, 5, 16, 33}) {
            std::vector<Entry> entries = planted_ratings(60, 90, 3, 0.4, 0.3, 5);
            for (Entry& entry : entries) entry.value = std::abs(entry.value);
            const Csr by_user = make_csr(entries, 60, 90);
            const RankingModel model = train(by_user, small_options(factors, 3), 1, feedback);
            const Plain plain(by_user, feedback, small_options(factors, 3));
            const Eigen::MatrixXd y = dense(model.items);
            for (std::uint32_t u = 0; u < by_user.rows(); ++u) {
                Eigen::MatrixXd system = plain.parameters.unobserved_weight * y.transpose() * y +
                                         plain.user_ridge(by_user, u) * Eigen::MatrixXd::Identity(factors, factors);
                Eigen::VectorXd right = Eigen::VectorXd::Zero(factors);
                for (std::size_t j = 0; j < by_user.row_size(u); ++j) {
                    const Eigen::VectorXd row = y.row(by_user.row_columns(u)[j]).transpose();
                    const double weight = plain.weight(by_user, u, j);
                    system += weight * row * row.transpose();
                    right += weight * row;
                }
                const Eigen::VectorXd expected = system.ldlt().solve(right);
                for (int f = 0; f < factors; ++f) ASSERT_NEAR(model.users.row(u)[f], expected[f], 1e-3);
            }
        }
}

double objective(const RankingModel& model, const IalsData& data, const Csr& by_user, const Csr& by_item) {
    const Eigen::MatrixXd scores = dense(model.users) * dense(model.items).transpose();
    const IalsParameters& parameters = data.parameters;
    const int k = model.users.factors();
    double sum = parameters.unobserved_weight * scores.squaredNorm();
    for (std::uint32_t u = 0; u < by_user.rows(); ++u) {
        double weights = 0;
        for (std::size_t j = 0; j < by_user.row_size(u); ++j) {
            const double weight = static_cast<double>(data.user_weights[by_user.offsets[u] + j]);
            weights += weight;
            sum += weight * std::pow(1 - scores(u, by_user.row_columns(u)[j]), 2);
        }
        sum += parameters.regularization * std::pow(weights, parameters.exponent) * squared_norm(model.users.row(u), k);
    }
    for (std::uint32_t i = 0; i < by_item.rows(); ++i) {
        double weights = parameters.unobserved_weight * by_user.rows();
        for (std::uint64_t e = by_item.offsets[i]; e < by_item.offsets[i + 1]; ++e)
            weights += static_cast<double>(data.item_weights[e]);
        sum += data.parameters.item_regularization * weights * squared_norm(model.items.row(i), k);
    }
    return sum / static_cast<double>(by_user.entries());
}

constexpr Solver kSolvers[] = {Solver::Cholesky, Solver::ConjugateGradient};

TEST(IalsTest, ReportedLossIsTheObjectiveAndNeverRises) {
    const Csr by_user = make_csr(planted_ratings(80, 120, 3, 0.3, 0.3, 6), 80, 120);
    const Csr by_item = transpose(by_user);
    for (const Solver solver : kSolvers) {
        TrainOptions options = small_options(8, 15);
        options.solver = solver;
        const Plain plain(by_user, Feedback::Explicit, options);
        Environment environment;
        std::vector<double> losses, expected;
        environment.on_iteration = [&](const Iteration& report) {
            EXPECT_STREQ(report.phase, "ranking factors");
            losses.push_back(report.loss);
            return true;
        };
        // The factors as they are after each iteration, those of the steps too.
        train_ials({by_user, by_item}, options, environment, [&](const RankingModel& model) {
            expected.push_back(objective(model, plain, by_user, by_item));
            return static_cast<double>(expected.size());
        });
        ASSERT_EQ(losses.size(), 15u);
        for (std::size_t i = 0; i < losses.size(); ++i) {
            EXPECT_NEAR(losses[i], expected[i], 1e-4 * expected[i]);
            // Up to the rounding of steps that read 8 significant bits.
            const double rounding = solver == Solver::ConjugateGradient ? 1e-4 : 1e-6;
            EXPECT_LE(losses[i], losses[std::max<std::size_t>(i, 1) - 1] * (1 + rounding));
        }
    }
}

TEST(IalsTest, StepsReachTheLossOfExactSolutions) {
    const Csr by_user = make_csr(planted_ratings(700, 400, 5, 0.4, 0.3, 13), 700, 400);
    const Csr by_item = transpose(by_user);
    constexpr int kMany = 640;
    for (const int factors : {16, kMany}) {
        if (factors == kMany && test::kSanitized) continue;  // two minutes; ConjugateGradientTest has such rows too
        const int iterations = factors == kMany ? 2 : 4;
        std::vector<double> losses[2];
        for (const Solver solver : kSolvers) {
            TrainOptions options = small_options(factors, iterations);
            options.solver = solver;
            Environment environment;
            environment.threads = 2;
            environment.on_iteration = [&](const Iteration& report) {
                losses[solver == Solver::ConjugateGradient].push_back(report.loss);
                return true;
            };
            train_ials({by_user, by_item}, options, environment);
        }
        for (std::size_t i = 1; i < losses[0].size(); ++i)
            EXPECT_NEAR(losses[1][i], losses[0][i], 1e-3 * losses[0][i]) << factors;
        EXPECT_NE(losses[1][1], losses[0][1]);
    }
}

// Where every item has very many users, random first users nearly cancel each other: what the first steps gain is tiny
// against what there is to explain, and must be taken all the same.
TEST(IalsTest, StepsLeaveTheStartWhereItemsAreFew) {
    constexpr std::uint32_t kUsers = 4000, kItems = 5;
    std::vector<Entry> entries;
    for (std::uint32_t user = 0; user < kUsers; ++user) entries.push_back({user, user % kItems, 1.0f});
    const Csr by_user = make_csr(entries, kUsers, kItems);
    double losses[2];
    for (const Solver solver : kSolvers) {
        TrainOptions options = small_options(8, 10);
        options.solver = solver;
        options.feedback = Feedback::Implicit;
        Environment environment;
        environment.on_iteration = [&](const Iteration& report) {
            losses[solver == Solver::ConjugateGradient] = report.loss;
            return true;
        };
        const RankingModel model = train_ials({by_user, transpose(by_user)}, options, environment);
        for (std::uint32_t item = 0; item < kItems; ++item)
            EXPECT_GT(squared_norm(model.items.row(item), model.items.stride()), 0.01) << item;
    }
    EXPECT_LT(losses[0], 0.98);
    EXPECT_NEAR(losses[1], losses[0], 1e-4);
}

TEST(IalsParametersTest, FollowTheirFormulas) {
    const std::vector<Entry> entries = planted_ratings(60, 90, 3, 0.4, 0.3, 5);
    const Csr by_user = make_csr(entries, 60, 90);
    const Csr by_item = transpose(by_user);
    const TrainOptions options;
    const Plain plain(by_user, Feedback::Explicit, options);
    const IalsParameters& parameters = plain.parameters;
    const double n = static_cast<double>(by_user.entries());
    double weights = 0, user_ridges = 0, item_ridges = 0;
    for (const float weight : plain.user_weights) weights += static_cast<double>(weight);
    EXPECT_NEAR(weights, n, 1e-3);
    for (std::uint32_t u = 0; u < 60; ++u) user_ridges += plain.user_ridge(by_user, u);
    item_ridges = parameters.item_regularization * (weights + parameters.unobserved_weight * 60 * 90);
    const double strength = std::min(0.5, 0.5 * (std::sqrt(60 / n) + std::sqrt(90 / n)));
    EXPECT_NEAR(user_ridges, strength * n, 1e-4 * n);
    EXPECT_NEAR(item_ridges, strength * n, 1e-4 * n);
    EXPECT_NEAR(parameters.unobserved_weight, 40 * n / (60 * 90), 1e-9);
    // The same pair has the same weight on both sides.
    const Csr paired = [&] {
        Csr copy = make_csr(entries, 60, 90);
        std::copy(plain.user_weights.begin(), plain.user_weights.end(), copy.values.begin());
        return transpose(copy);
    }();
    EXPECT_TRUE(std::equal(paired.values.begin(), paired.values.end(), plain.item_weights.begin()));
}

TEST(InteractionWeightsTest, Ratings) {
    IalsParameters parameters;
    parameters.weight_slope = 0.5;
    parameters.weight_center = 3;
    parameters.weight_deviation = 2;
    const float values[] = {3, 5, 1, -100, 100};
    float weights[5];
    interaction_weights(values, parameters, weights);
    EXPECT_EQ(std::vector<float>(weights, weights + 5), std::vector<float>({1.0f, 1.5f, 0.5f, 0.1f, 2.0f}));
}

TEST(InteractionWeightsTest, ImplicitWeightsDoNotDependOnTheUnit) {
    IalsParameters parameters;
    parameters.weight_slope = 1;
    const float values[] = {1, 2, 3};
    const float large[] = {1024, 2048, 3072};
    const float zeros[] = {0, 0, 0};
    float weights[3], large_weights[3], zero_weights[3];
    interaction_weights(values, parameters, weights);
    interaction_weights(large, parameters, large_weights);
    interaction_weights(zeros, parameters, zero_weights);
    for (int j = 0; j < 3; ++j) {
        EXPECT_FLOAT_EQ(weights[j], std::log1p(values[j] / 2));
        EXPECT_EQ(weights[j], large_weights[j]);
        EXPECT_EQ(zero_weights[j], 0.0f);
    }
    parameters.weight_slope = 0;
    interaction_weights(zeros, parameters, zero_weights);
    EXPECT_EQ(zero_weights[0], 1.0f);
}

TEST(IalsTest, SameBitsForAnyNumberOfThreads) {
    const Csr by_user = make_csr(planted_ratings(1500, 1200, 3, 0.05, 0.3, 8), 1500, 1200);
    for (const Solver solver : kSolvers) {
        TrainOptions options = small_options(20, 3);
        options.solver = solver;
        const RankingModel expected = train(by_user, options);
        for (const int threads : {1, 2, 3, 7}) {
            const RankingModel model = train(by_user, options, threads);
            EXPECT_TRUE(same_bits(model.users, expected.users));
            EXPECT_TRUE(same_bits(model.items, expected.items));
        }
    }
    const RankingModel expected = train(by_user, small_options(20, 3));
    TrainOptions other_seed = small_options(20, 3);
    other_seed.seed = 2;
    EXPECT_FALSE(same_bits(train(by_user, other_seed).users, expected.users));
}

// Two groups of users and items without an interaction between them.
TEST(IalsTest, RanksAPlantedStructure) {
    std::vector<Entry> entries;
    Random random(3);
    for (std::uint32_t u = 0; u < 100; ++u)
        for (std::uint32_t i = 0; i < 60; ++i)
            if (u % 2 == i % 2 && random.uniform() < 0.5) entries.push_back({u, i, 1.0f});
    const RankingModel model = train(make_csr(entries, 100, 60), small_options(2, 10), 1, Feedback::Implicit);
    const Eigen::MatrixXd scores = dense(model.users) * dense(model.items).transpose();
    for (Eigen::Index u = 0; u < 100; ++u) {
        double worst_own = 1, best_other = -1;
        for (Eigen::Index i = 0; i < 60; ++i)
            if (u % 2 == i % 2)
                worst_own = std::min(worst_own, scores(u, i));
            else
                best_other = std::max(best_other, scores(u, i));
        EXPECT_GT(worst_own, best_other) << u;
    }
}

TEST(IalsTest, StopsWhenAskedAndKeepsWhatItHas) {
    const Csr by_user = make_csr(planted_ratings(40, 30, 2, 0.5, 0.3, 9), 40, 30);
    Environment environment;
    int reports = 0;
    environment.on_iteration = [&](const Iteration&) { return ++reports < 2; };
    const RankingModel model = train_ials({by_user, transpose(by_user)}, small_options(4, 10), environment);
    EXPECT_EQ(reports, 2);
    EXPECT_TRUE(same_bits(model.users, train(by_user, small_options(4, 2)).users));
}

// One in twenty interactions is new, and so are all of five items.
struct Growth {
    Csr before, after;
    explicit Growth(std::uint32_t users = 400, std::uint32_t items = 300) {
        std::vector<Entry> old_entries;
        const std::vector<Entry> entries = planted_ratings(users, items, 5, 0.2, 0.3, 12);
        for (std::size_t e = 0; e < entries.size(); ++e)
            if (e % 20 != 7 && entries[e].item % 60 != 31) old_entries.push_back(entries[e]);
        before = make_csr(old_entries, users, items);
        after = make_csr(entries, users, items);
    }
};

RankingModel train_from(const RankingModel& earlier, const Csr& by_user, const TrainOptions& options,
                        Environment& environment) {
    RankingStart start{copy_of(earlier.items, environment)};
    return train_ials({by_user, transpose(by_user)}, options, environment, {}, &start);
}

TEST(IalsTest, AWarmStartReachesInAThirdOfTheIterationsWhatAColdOneReaches) {
    const Growth growth;
    for (const int iterations : {8, 15}) {
        const RankingModel earlier = train(growth.before, small_options(16, iterations));
        for (int f = 0; f < 16; ++f) ASSERT_EQ(earlier.items.row(31)[f], 0.0f);
        double loss = 0;
        Environment environment;
        environment.on_iteration = [&](const Iteration& report) {
            loss = report.loss;
            return true;
        };
        train_ials({growth.after, transpose(growth.after)}, small_options(16, iterations), environment);
        const double cold = loss;
        const int third = (iterations + 2) / 3;
        const RankingModel warm = train_from(earlier, growth.after, small_options(16, third), environment);
        EXPECT_LE(loss, cold) << iterations;
        EXPECT_EQ(warm.iterations, third);
        EXPECT_GT(squared_norm(warm.items.row(31), 16), 0.0);
        const Plain expected(growth.after, Feedback::Explicit, small_options(16, third));
        EXPECT_EQ(from_numbers<IalsParameters>(warm.parameters).regularization, expected.parameters.regularization);

        environment.threads = 3;
        const RankingModel threaded = train_from(earlier, growth.after, small_options(16, third), environment);
        EXPECT_TRUE(same_bits(threaded.users, warm.users));
        EXPECT_TRUE(same_bits(threaded.items, warm.items));
    }
}

TEST(IalsTest, AStartOfZerosIsNoneAndAnotherShapeIsRefused) {
    const Csr by_user = make_csr(planted_ratings(40, 30, 2, 0.5, 0.3, 9), 40, 30);
    Environment environment;
    RankingModel nothing;
    nothing.items = FactorMatrix(30, 4);
    EXPECT_TRUE(same_bits(train_from(nothing, by_user, small_options(4, 2), environment).users,
                          train(by_user, small_options(4, 2)).users));
    EXPECT_THROW(train_from(nothing, by_user, small_options(5, 2), environment), std::logic_error);
    nothing.items = FactorMatrix(29, 4);
    EXPECT_THROW(train_from(nothing, by_user, small_options(4, 2), environment), std::logic_error);
}

TEST(IalsTest, KeepsTheBestIteration) {
    const Csr by_user = make_csr(planted_ratings(40, 30, 2, 0.5, 0.3, 9), 40, 30);
    Environment environment;
    const double metrics[] = {0.1, 0.3, 0.2, 0.25, 0.9};
    int calls = 0;
    const RankingModel model = train_ials({by_user, transpose(by_user)}, small_options(4, 10), environment,
                                          [&](const RankingModel&) { return metrics[calls++]; });
    EXPECT_EQ(calls, 4);
    EXPECT_EQ(model.iterations, 2);
    const RankingModel expected = train(by_user, small_options(4, 2));
    EXPECT_TRUE(same_bits(model.users, expected.users));
    EXPECT_TRUE(same_bits(model.items, expected.items));
}

TEST(IalsTest, ACancelLeavesAtOnce) {
    const Csr by_user = make_csr(planted_ratings(400, 300, 3, 0.2, 0.3, 8), 400, 300);
    Environment environment;
    environment.threads = 2;
    int asked = 0;
    environment.interrupted = [&] { return ++asked > 20; };
    environment.checkpoint = [] { throw std::runtime_error("cancelled"); };
    EXPECT_THROW(train_ials({by_user, transpose(by_user)}, small_options(20, 1000), environment), std::runtime_error);
    EXPECT_LT(asked, 1000);
}

TEST(IalsTest, DegenerateDataGivesAFiniteModel) {
    const auto expect_finite = [](const std::vector<Entry>& entries, std::uint32_t users, std::uint32_t items,
                                  int factors) {
        for (const Feedback feedback : {Feedback::Explicit, Feedback::Implicit})
            for (const Solver solver : kSolvers) {
                TrainOptions options = small_options(factors, 5);
                options.solver = solver;
                const RankingModel model = train(make_csr(entries, users, items), options, 1, feedback);
                EXPECT_TRUE(all_finite(model.users));
                EXPECT_TRUE(all_finite(model.items));
            }
    };
    expect_finite({{0, 0, 4.0f}}, 1, 1, 64);                             // one interaction
    expect_finite({{0, 0, 1.0f}, {0, 1, 5.0f}, {0, 2, 2.0f}}, 1, 3, 8);  // one user
    expect_finite({{0, 0, 1.0f}, {1, 0, 5.0f}, {2, 0, 2.0f}}, 3, 1, 8);  // one item
    expect_finite({{0, 0, 0.1f}, {0, 1, 0.1f}, {1, 0, 0.1f}}, 2, 2, 100);
    expect_finite({{0, 0, 0.0f}, {1, 1, 0.0f}}, 2, 2, 4);  // weights of zero
    expect_finite({{0, 0, 0.0f}, {0, 1, 2.0f}, {1, 1, 1.0f}}, 2, 2, 4);
    expect_finite({{0, 0, 1e30f}, {0, 1, 1.0f}, {1, 0, 0.5f}}, 2, 2, 4);
    expect_finite({{0, 0, 3e38f}, {0, 1, 3e38f}, {1, 0, 3e38f}}, 2, 2, 4);
    expect_finite({{0, 0, 1e-30f}, {0, 1, 1e-38f}, {1, 0, 1e-45f}}, 2, 2, 4);
    expect_finite({{0, 0, 1.0f}, {2, 1, 2.0f}}, 4, 3, 4);  // rows and columns without entries
}

TEST(IalsTest, WithoutRegularizationTheErrorSaysWhatToDo) {
    TrainOptions options = small_options(16, 3);
    options.ials.regularization = 0;  // below what validate() lets pass
    try {
        train(make_csr({{0, 0, 1.0f}, {0, 1, 2.0f}, {1, 0, 4.0f}}, 2, 2), options);
        FAIL() << "no error";
    } catch (const NumericalFailure& failure) {
        EXPECT_NE(std::string(failure.what()).find("interactions have no unique solution"), std::string::npos)
            << failure.what();
        EXPECT_NE(failure.hint().find("Raise regularization"), std::string::npos);
    }
}

}  // namespace
}  // namespace mf
