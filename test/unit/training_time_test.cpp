#include "core/training_time.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace mf {
namespace {

TrainOptions implicit_options() {
    TrainOptions options;
    options.feedback = Feedback::Implicit;
    options.als.factors = options.ials.factors = 16;
    return options;
}

/// Times are measured, so another process may lengthen any of them: the least of several is that of the work.
double least_seconds(std::uint64_t users, std::uint64_t items, std::uint64_t ratings, const TrainOptions& options) {
    Environment environment;
    double least = std::numeric_limits<double>::infinity();
    for (int run = 0; run < 7; ++run)
        least = std::min(least, training_seconds(users, items, ratings, options, environment));
    return least;
}

TEST(TrainingTimeTest, GrowsWithTheDataAndTheIterations) {
    TrainOptions options = implicit_options();
    const double base = least_seconds(1000, 1000, 1000000, options);
    EXPECT_GT(base, 0.0);
    EXPECT_GT(least_seconds(10000, 10000, 10000000, options), 3 * base);
    options.ials.iterations *= 10;
    EXPECT_GT(least_seconds(1000, 1000, 1000000, options), 3 * base);
}

TEST(TrainingTimeTest, TwoSetsOfFactorsTakeLonger) {
    TrainOptions options = implicit_options();
    const double implicit = least_seconds(1000, 1000, 10000000, options);
    options.feedback = Feedback::Explicit;
    options.als.iterations = 40;
    EXPECT_GT(least_seconds(1000, 1000, 10000000, options), 1.5 * implicit);
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
