#include "core/pipeline/tuning.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/data/split.hpp"
#include "core/evaluation/metrics.hpp"
#include "core/pipeline/find_options.hpp"
#include "core/training/als.hpp"
#include "core/training/ials.hpp"
#include "unit/generated_data.hpp"

namespace mf {
namespace {

using test::Entry;
using test::make_dataset;
using test::planted_ratings;

Dataset ratings(Environment& environment) {
    std::vector<Entry> entries = planted_ratings(200, 80, 3, 0.4, 0.3, 21);
    for (Entry& entry : entries) entry.value = std::clamp(entry.value, 1.0f, 5.0f);
    return make_dataset(entries, environment);
}

TrainOptions base_options(Feedback feedback) {
    TrainOptions options;
    options.feedback = feedback;
    options.test_fraction = 0.25;
    options.factors = 8;
    return options;
}

double number(const Settings& settings, const std::string& name) {
    const auto found = std::ranges::find(settings, name, &Setting::name);
    return found == settings.end() ? std::nan("") : std::get<double>(found->value);
}

std::vector<double> numbers_of(const std::vector<Trial>& trials) {
    std::vector<double> result;
    for (const Trial& trial : trials) {
        result.insert(result.end(),
                      {double(trial.number), double(trial.iterations), std::isnan(trial.rmse) ? -1 : trial.rmse,
                       std::isnan(trial.ndcg) ? -1 : trial.ndcg});
        for (const Setting& setting : trial.parameters) result.push_back(std::get<double>(setting.value));
    }
    return result;
}

/// Users like the items of their own of four groups, which are equally popular: popularity and one factor know little.
Dataset groups(Environment& environment) {
    std::vector<Entry> entries;
    Random random(9);
    for (std::uint32_t u = 0; u < 120; ++u)
        for (std::uint32_t i = 0; i < 80; ++i)
            if (random.uniform() < (u % 4 == i % 4 ? 0.6 : 0.05)) entries.push_back({u, i, 1});
    return make_dataset(entries, environment);
}

TEST(Tuning, MeasuresWhatATrainingReports) {
    Environment environment;
    const Dataset dataset = ratings(environment);
    const TrainOptions base = base_options(Feedback::Implicit);
    const std::vector<Trial> trials =
        tune(dataset, base, {{"regularization", {0.25, 0.5, 4.0}}, {"iterations", {5.0}}}, {}, environment);
    ASSERT_EQ(trials.size(), 3u);
    TrainOptions options = base;
    apply_settings(trials[0].parameters, options);
    ASSERT_EQ(trials[0].iterations, 5);
    // A training run that measures stops early at its best iteration; the figure of the last one needs another run.
    const HoldOut parts =
        hold_out(dataset.by_user, id_hashes(dataset, environment), options.test_fraction, 1, environment);
    const RankingModel model = train_ials({parts.train, transpose(parts.train, environment)}, options, environment);
    EXPECT_EQ(trials[0].ndcg, measure_lists(model, parts.train, parts.test, 10, environment).mean_ndcg());
    EXPECT_TRUE(std::isnan(trials[0].rmse));
}

TEST(Tuning, FindsTheSettingThatIsBest) {
    Environment environment;
    const Dataset dataset = ratings(environment);
    // Absurd values beside a sensible one.
    const std::vector<Trial> rated = tune(dataset, base_options(Feedback::Explicit),
                                          {{"regularization", {1000.0, 1.0, 100.0, 1e-6}}}, {}, environment);
    ASSERT_EQ(rated.size(), 4u);
    EXPECT_EQ(number(rated[0].parameters, "regularization"), 1.0);
    EXPECT_LT(rated[0].rmse, rated[1].rmse);
    for (const Trial& trial : rated) EXPECT_TRUE(std::isnan(trial.ndcg));
    const std::vector<Trial> ranked =
        tune(groups(environment), base_options(Feedback::Explicit), {{"factors", {1.0, 8.0}}}, {}, environment);
    EXPECT_EQ(number(ranked[0].parameters, "factors"), 8.0);
    EXPECT_GT(ranked[0].ndcg, ranked[1].ndcg);
}

TEST(Tuning, BothKindsOfFactorsAreSearchedAndTheFirstTrialHasBoth) {
    Environment environment;
    const Dataset dataset = ratings(environment);
    const std::vector<Trial> trials =
        tune(dataset, base_options(Feedback::Explicit),
             {{"factors", {4.0, 8.0}}, {"regularization", {0.5, 1.0, 50.0}}, {"unobserved_weight", {5.0, 20.0}}}, {},
             environment);
    ASSERT_EQ(trials.size(), 4u + 3u);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_FALSE(std::isnan(trials[i].ndcg));
    for (std::size_t i = 4; i < 7; ++i) EXPECT_TRUE(std::isnan(trials[i].ndcg));
    EXPECT_EQ(trials[0].parameters.size(), 3u);
    EXPECT_EQ(trials[0].rmse, trials[4].rmse);
    EXPECT_EQ(number(trials[0].parameters, "regularization"), number(trials[4].parameters, "regularization"));
    EXPECT_LE(trials[4].rmse, trials[5].rmse);
    EXPECT_TRUE(std::isnan(trials[1].rmse));
    // The rating factors are as many as those of the best ranking.
    TrainOptions options = base_options(Feedback::Explicit);
    apply_settings(trials[0].parameters, options);
    const HoldOut parts =
        hold_out(dataset.by_user, id_hashes(dataset, environment), options.test_fraction, 1, environment);
    const RatingModel model = train_als({parts.train, transpose(parts.train, environment)}, options, environment);
    EXPECT_EQ(trials[0].rmse, measure_predictions(model, parts.test, environment).rmse());
    std::vector<int> order;
    for (const Trial& trial : trials) order.push_back(trial.number);
    std::ranges::sort(order);
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4, 5, 6, 7}));
}

// What is not given is found first, and is part of what to train with; lists of the space are left alone.
TEST(Tuning, BeginsWithWhatIsFoundFromTheData) {
    Environment environment;
    const Dataset dataset = make_dataset(planted_ratings(400, 150, 3, 0.4, 0.1, 21), environment);
    TrainOptions options;
    options.test_fraction = 0.25;
    options.als.iterations = options.ials.iterations = 3;
    options.search.enabled = true;
    const SearchSpace space{{"regularization_exponent", {0.5}, 0, 0, false},
                            {"unobserved_weight", {30.0}, 0, 0, false}};
    const std::vector<Trial> trials = tune(dataset, options, space, {}, environment);
    const Settings& best = trials.front().parameters;
    EXPECT_EQ(number(best, "unobserved_weight"), 30);
    EXPECT_EQ(number(best, "rating_factors"), 8);
    EXPECT_LT(number(best, "regularization"), 1);
    EXPECT_GE(number(best, "factors"), 64);
    EXPECT_GT(number(best, "ranking_regularization"), 0);
    // Nothing is left to find.
    apply_settings(best, options);
    EXPECT_FALSE(needs_search(options));
}

TEST(Tuning, HalvesTheTrialsOverIterations) {
    Environment environment;
    std::vector<int> reported;
    int planned = 0;
    environment.on_phase = [&](const char* name, int total) {
        EXPECT_EQ(std::string(name), "tuning");
        planned = total;
    };
    environment.on_iteration = [&](const Iteration& iteration) {
        EXPECT_EQ(std::string(iteration.phase), "tuning");
        reported.push_back(iteration.iteration);
        return true;
    };
    const Dataset dataset = ratings(environment);
    TuningOptions tuning;
    tuning.trials = 9;
    const std::vector<Trial> trials =
        tune(dataset, base_options(Feedback::Implicit), {{"regularization", {}, 0.1, 4, true}}, tuning, environment);
    ASSERT_EQ(trials.size(), 9u);
    // 9 trials of 4 iterations, the best 3 of 8.
    std::vector<int> iterations;
    for (const Trial& trial : trials) iterations.push_back(trial.iterations);
    EXPECT_EQ(iterations, (std::vector<int>{8, 8, 8, 4, 4, 4, 4, 4, 4}));
    EXPECT_EQ(planned, 12);
    std::vector<int> expected(12);
    for (int i = 0; i < 12; ++i) expected[static_cast<std::size_t>(i)] = i + 1;
    EXPECT_EQ(reported, expected);
}

TEST(Tuning, ManyTrialsBeginWithAQuarterOfTheIterations) {
    Environment environment;
    const Dataset dataset = ratings(environment);
    TuningOptions tuning;
    tuning.trials = 20;
    std::vector<int> counts(9);
    for (const Trial& trial :
         tune(dataset, base_options(Feedback::Implicit), {{"weight_slope", {}, 0, 4}}, tuning, environment))
        ++counts[static_cast<std::size_t>(trial.iterations)];
    EXPECT_EQ(counts, (std::vector<int>{0, 0, 13, 0, 4, 0, 0, 0, 3}));
}

TEST(Tuning, IsDeterministicForItsSeedAndAnyThreads) {
    Environment environment;
    const Dataset dataset = ratings(environment);
    TuningOptions tuning;
    tuning.trials = 6;
    TrainOptions base = base_options(Feedback::Explicit);
    const SearchSpace space = default_space(base_options(Feedback::Explicit));
    const std::vector<double> first = numbers_of(tune(dataset, base, space, tuning, environment));
    environment.threads = 3;
    EXPECT_EQ(numbers_of(tune(dataset, base, space, tuning, environment)), first);
    base.seed = 2;
    EXPECT_NE(numbers_of(tune(dataset, base, space, tuning, environment)), first);
}

TEST(Tuning, EndsWithTheTimeAndKeepsWhatWasMeasured) {
    Environment environment;
    const Dataset dataset = ratings(environment);
    TuningOptions tuning;
    tuning.trials = 5000;
    tuning.seconds = test::kSanitized ? 5 : 0.5;  // enough for a trial beside other work
    TrainOptions base = base_options(Feedback::Implicit);
    base.ials.iterations = 40;
    const auto begin = std::chrono::steady_clock::now();
    const std::vector<Trial> trials = tune(dataset, base, {{"regularization", {}, 0.1, 4, true}}, tuning, environment);
    EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), 60.0);
    EXPECT_GE(trials.size(), 1u);
    EXPECT_LT(trials.size(), 5000u);
    for (std::size_t i = 1; i < trials.size(); ++i) {
        EXPECT_TRUE(trials[i].iterations < trials[i - 1].iterations || trials[i].ndcg <= trials[i - 1].ndcg);
    }
    tuning.seconds = 1e-9;
    EXPECT_THROW(tune(dataset, base, {{"regularization", {}, 0.1, 4, true}}, tuning, environment), InvalidArgument);
}

TEST(Tuning, APointThatCannotBeTrainedIsTheWorst) {
    Environment environment;
    std::vector<Entry> entries = planted_ratings(60, 40, 3, 0.4, 0.3, 21);
    for (Entry& entry : entries) entry.value = 1e15f * std::clamp(entry.value, 1.0f, 5.0f);
    const Dataset dataset = make_dataset(entries, environment);
    TrainOptions base = base_options(Feedback::Explicit);
    base.factors = 64;  // more than ratings of a row
    const std::vector<Trial> trials =
        tune(dataset, base, {{"regularization", {1e-9, 1.0}}, {"bias_regularization", {0.0}}}, {}, environment);
    ASSERT_EQ(trials.size(), 2u);
    EXPECT_EQ(number(trials[0].parameters, "regularization"), 1.0);
    EXPECT_TRUE(std::isnan(trials[1].rmse));
    EXPECT_THROW(tune(dataset, base, {{"regularization", {1e-9}}, {"bias_regularization", {0.0}}}, {}, environment),
                 NumericalFailure);
}

TEST(Tuning, RefusesWhatCannotBeSearched) {
    Environment environment;
    const Dataset dataset = ratings(environment);
    const TrainOptions base = base_options(Feedback::Implicit);
    TuningOptions tuning;
    EXPECT_THROW(tune(dataset, base, {{"nothing", {1.0}}}, tuning, environment), InvalidArgument);
    tuning.trials = 10001;
    EXPECT_THROW(tune(dataset, base, {{"factors", {1.0}}}, tuning, environment), InvalidArgument);
    tuning.trials = 0;
    EXPECT_THROW(tune(dataset, base, {{"factors", {1.0}}}, tuning, environment), InvalidArgument);
    tuning.trials = 1;
    tuning.seconds = std::nan("");
    EXPECT_THROW(tune(dataset, base, {{"factors", {1.0}}}, tuning, environment), InvalidArgument);
    const Dataset single = make_dataset({{0, 0, 1}, {1, 0, 1}}, environment);
    EXPECT_THROW(tune(single, base, {{"factors", {1.0}}}, {}, environment), InvalidData);
}

TEST(Tuning, CanBeCancelled) {
    Environment environment;
    const Dataset dataset = ratings(environment);
    environment.interrupted = [] { return true; };
    environment.checkpoint = [] { throw std::runtime_error("cancel"); };
    EXPECT_THROW(tune(dataset, base_options(Feedback::Implicit), {{"factors", {4.0}}}, {}, environment),
                 std::runtime_error);
}

}  // namespace
}  // namespace mf
