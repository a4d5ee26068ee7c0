#include "core/pipeline/search_space.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "core/base/error.hpp"

namespace mf {
namespace {

TrainOptions implicit_options() {
    TrainOptions options;
    options.feedback = Feedback::Implicit;
    return options;
}

double number(const Setting& setting) { return std::get<double>(setting.value); }

std::string complaint(const SearchSpace& space, const TrainOptions& base = implicit_options()) {
    try {
        check_space(space, base);
    } catch (const InvalidArgument& e) {
        return e.what();
    }
    return "";
}

TEST(CheckSpace, NamesWhatIsWrong) {
    EXPECT_EQ(complaint({{"factors", {8.0, 16.0}}, {"regularization", {}, 0.1, 2, true}}), "");
    EXPECT_EQ(complaint({{"colour", {8.0}}}), "unknown option \"colour\"");
    EXPECT_EQ(complaint({{"ranking_regularization", {8.0}}}),
              "option \"ranking_regularization\" is for explicit feedback only");
    EXPECT_EQ(complaint({{"duplicates", {std::string("sum")}}}), "option \"duplicates\" cannot be searched");
    EXPECT_EQ(complaint({{"time_column", {std::string("t")}}}), "option \"time_column\" cannot be searched");
    EXPECT_EQ(complaint({{"factors", {8.0, 0.0}}}), "factors must be between 1 and 1024, not 0");
    EXPECT_EQ(complaint({{"factors", {8.5}}}), "option \"factors\" must be a whole number, not 8.5");
    EXPECT_EQ(complaint({{"factors", {}, 1, 2000}}), "factors must be between 1 and 1024, not 2000");
    EXPECT_EQ(complaint({{"solver", {std::string("magic")}}}), "option \"solver\" does not accept the value \"magic\"");
    EXPECT_EQ(complaint({{"solver", {1.0}}}), "option \"solver\" must be a string, not the number 1");
    EXPECT_EQ(complaint({{"regularization", {}, 2, 1}}),
              "the range of option \"regularization\" must have a minimum below its maximum");
    EXPECT_EQ(complaint({{"weight_slope", {}, 0, 1, true}}),
              "the range of option \"weight_slope\" must begin above 0 to be logarithmic");
    EXPECT_EQ(complaint({{"factors", {8.0}}, {"factors", {9.0}}}), "option \"factors\" is in the search space twice");
}

TEST(DefaultSpace, CanBeSearchedFromTheDefaults) {
    for (const Feedback feedback : {Feedback::Explicit, Feedback::Implicit}) {
        TrainOptions base;
        base.feedback = feedback;
        const SearchSpace space = default_space(base);
        EXPECT_NO_THROW(check_space(space, base));
        // The defaults themselves are the first point.
        const auto points = spread_points(space, base, 1, 1);
        ASSERT_EQ(points.size(), 1u);
        for (const Setting& setting : points[0])
            EXPECT_EQ(number(setting), option_value(base, setting.name)) << setting.name;
    }
}

TEST(SpreadPoints, ListsGiveAllCombinations) {
    const SearchSpace space{{"factors", {8.0, 16.0, 32.0}},
                            {"solver", {std::string("cholesky"), std::string("conjugate_gradient")}}};
    const auto points = spread_points(space, implicit_options(), 6, 1);
    ASSERT_EQ(points.size(), 6u);
    std::set<std::pair<double, std::string>> seen;
    for (const Settings& point : points) seen.emplace(number(point[0]), std::get<std::string>(point[1].value));
    EXPECT_EQ(seen.size(), 6u);
    EXPECT_EQ(spread_points(space, implicit_options(), 100, 1).size(), 6u);
    EXPECT_EQ(spread_points(space, implicit_options(), 4, 1).size(), 4u);
}

TEST(SpreadPoints, BeginWithTheBaseIfItIsInside) {
    TrainOptions base = implicit_options();
    base.ials.regularization = 0.375;
    const SearchSpace range{{"regularization", {}, 0.1, 2, true}};
    EXPECT_EQ(number(spread_points(range, base, 3, 1)[0][0]), 0.375);
    base.ials.regularization = 3;
    EXPECT_NE(number(spread_points(range, base, 3, 1)[0][0]), 3);
    const SearchSpace list{{"factors", {8.0, 64.0}}};
    EXPECT_EQ(number(spread_points(list, base, 2, 1)[0][0]), 64);
}

TEST(SpreadPoints, CoverEveryDimensionEvenly) {
    const SearchSpace space{{"regularization", {}, 0.01, 1, true},
                            {"unobserved_weight", {}, 5, 85},
                            {"weight_slope", {0.0, 1.0, 2.0, 3.0}}};
    const TrainOptions base = implicit_options();
    const auto points = spread_points(space, base, 64, 5);
    ASSERT_EQ(points.size(), 64u);
    // A quarter of the points in each quarter of each dimension, within what 64 points can be off.
    int counts[3][4] = {};
    for (const Settings& point : points) {
        const double x[3] = {std::log(number(point[0]) / 0.01) / std::log(100.0), (number(point[1]) - 5) / 80,
                             (number(point[2]) + 0.5) / 4};
        for (int d = 0; d < 3; ++d) {
            ASSERT_TRUE(x[d] >= 0 && x[d] <= 1);
            ++counts[d][std::min(3, static_cast<int>(4 * x[d]))];
        }
    }
    for (const auto& dimension : counts)
        for (const int count : dimension) EXPECT_NEAR(count, 16, 3);
}

TEST(SpreadPoints, WholeOptionsAreWholeAndPointsDiffer) {
    const SearchSpace space{{"factors", {}, 1, 10}};
    const auto points = spread_points(space, implicit_options(), 50, 3);
    std::set<double> values;
    for (const Settings& point : points) {
        EXPECT_EQ(number(point[0]), std::trunc(number(point[0])));
        values.insert(number(point[0]));
    }
    EXPECT_EQ(points.size(), values.size());
    EXPECT_EQ(values.size(), 10u);  // there are no more
}

TEST(SpreadPoints, DependOnTheSeedAlone) {
    const SearchSpace space{{"regularization", {}, 0.1, 2, true}, {"weight_slope", {}, 0, 1}};
    const auto values = [&](std::uint64_t seed) {
        std::vector<double> result;
        for (const Settings& point : spread_points(space, implicit_options(), 9, seed))
            for (const Setting& setting : point) result.push_back(number(setting));
        return result;
    };
    EXPECT_EQ(values(4), values(4));
    EXPECT_NE(values(4), values(5));
}

}  // namespace
}  // namespace mf
