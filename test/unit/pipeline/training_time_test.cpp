#include "core/pipeline/training_time.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace mf {
namespace {

TrainOptions implicit_options() {
    TrainOptions options;
    options.feedback = Feedback::Implicit;
    options.factors = 16;
    return options;
}

struct Work {
    std::uint64_t users, items, ratings;
    TrainOptions options;
};

/// True if the second work takes more than `factor` times as long as the first. Times are measured, so another process
/// may lengthen any of them: the least of many is that of the work, and rounds go on until the least ones say so. An
/// estimate that does not grow never does.
bool takes_longer_by(double factor, const Work& work, const Work& more) {
    Environment environment;
    double least = std::numeric_limits<double>::infinity();
    double least_of_more = least;
    for (int round = 0; round < 40; ++round) {
        least = std::min(least, training_seconds(work.users, work.items, work.ratings, work.options, environment));
        least_of_more =
            std::min(least_of_more, training_seconds(more.users, more.items, more.ratings, more.options, environment));
        if (round >= 2 && least_of_more > factor * least) return true;
    }
    return false;
}

// Ten times the work, and a fifth of that is asked for: processors that others use as well differ in speed from one
// moment to the next.
TEST(TrainingTimeTest, GrowsWithTheDataAndTheIterations) {
    const TrainOptions options = implicit_options();
    const Work base{1000, 1000, 1000000, options};
    EXPECT_TRUE(takes_longer_by(2, base, {10000, 10000, 10000000, options}));
    TrainOptions longer = options;
    longer.ials.iterations *= 10;
    EXPECT_TRUE(takes_longer_by(2, base, {1000, 1000, 1000000, longer}));
}

TEST(TrainingTimeTest, TwoSetsOfFactorsTakeLonger) {
    const TrainOptions options = implicit_options();
    TrainOptions both = options;
    both.feedback = Feedback::Explicit;
    both.als.iterations = 40;
    EXPECT_TRUE(takes_longer_by(1.5, {1000, 1000, 10000000, options}, {1000, 1000, 10000000, both}));
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
