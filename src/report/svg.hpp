// Plots as inline SVG without scripts. The page styles them through the classes bar, line and rule.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mf {

/// Texts are UTF-8, not escaped.
struct PlotLabels {
    std::string title;
    std::string x;
    std::string y;
};

/// Adjacent bars; bar i goes from bounds[i] to bounds[i + 1], so there is one bound more than counts and names.
struct Histogram {
    std::vector<std::uint64_t> counts;
    std::vector<std::string> names;
    std::vector<std::string> bounds;
    std::int64_t first = 0;  ///< number of bounds[0]; bounds with round numbers are labelled
};

/// A line through points of the unit square, with the diagonal beside it; axes are in percent.
using Curve = std::vector<std::pair<double, double>>;

/// A line through points in the order of x, which is a whole number, such as that of an iteration. All values are
/// finite, and their magnitudes at most 1e15.
struct Series {
    struct Point {
        std::int64_t x;
        double y;
    };
    std::vector<Point> points;
};

/// The least number of the form 1, 2 or 5 times a power of ten that is at least `width`, which is above 0.
double round_step(double width);

/// A figure with title, axes and labels. Without any count or point, it says that there is nothing to show. The length
/// of the text depends only on the number of bars or points.
std::string plot(const PlotLabels& labels, const Histogram& histogram);
std::string plot(const PlotLabels& labels, const Curve& curve);
std::string plot(const PlotLabels& labels, const Series& series);

}  // namespace mf
