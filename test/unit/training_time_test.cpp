#include "core/training_time.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace mf {
namespace {

TrainOptions implicit_options() {
    TrainOptions options;
    options.feedback = Feedback::Implicit;
    options.als.factors = options.ials.factors = 16;
    return options;
}

TEST(TrainingTimeTest, GrowsWithTheDataAndTheIterations) {
    Environment environment;
    TrainOptions options = implicit_options();
    const double base = training_seconds(1000, 1000, 1000000, options, environment);
    EXPECT_GT(base, 0.0);
    // The measured times of two calls differ; the sizes differ more.
    EXPECT_GT(training_seconds(10000, 10000, 10000000, options, environment), 3 * base);
    options.ials.iterations *= 10;
    EXPECT_GT(training_seconds(1000, 1000, 1000000, options, environment), 3 * base);
}

TEST(TrainingTimeTest, TwoSetsOfFactorsTakeLonger) {
    Environment environment;
    TrainOptions options = implicit_options();
    const double implicit = training_seconds(1000, 1000, 10000000, options, environment);
    options.feedback = Feedback::Explicit;
    options.als.iterations = 40;
    EXPECT_GT(training_seconds(1000, 1000, 10000000, options, environment), 1.5 * implicit);
}

TEST(TrainingTimeTest, NothingToTrainTakesNoTime) {
    Environment environment;
    EXPECT_EQ(training_seconds(0, 0, 0, implicit_options(), environment), 0.0);
}

TEST(TrainingTimeTest, ACancelIsServed) {
    Environment environment;
    environment.interrupted = [] { return true; };
    environment.checkpoint = [] { throw std::runtime_error("cancelled"); };
    EXPECT_THROW(training_seconds(10, 10, 100, implicit_options(), environment), std::runtime_error);
}

}  // namespace
}  // namespace mf
