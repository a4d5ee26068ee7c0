#include "report/svg.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "report/html.hpp"

namespace mf {
namespace {

// Narrow, so that the labels are still large enough to read where the figure shrinks to the width of a phone.
constexpr double kLeft = 84, kRight = 464, kTop = 12, kBottom = 244, kHeight = 296;

/// Number of labels that fit on the horizontal axis.
constexpr std::uint64_t kMostLabels = 8;

std::string coordinate(double value) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, 1);
    return std::string(text, end.ptr);
}

std::string attribute(const char* name, double value) {
    return std::string(" ") + name + "=\"" + coordinate(value) + "\"";
}

std::string text_at(double x, double y, const char* anchor, const std::string& text, const char* more = "") {
    return "<text" + attribute("x", x) + attribute("y", y) + " text-anchor=\"" + anchor + "\"" + more + ">" +
           html_text(text) + "</text>\n";
}

std::string rule(double x1, double y1, double x2, double y2) {
    return "<line class=\"rule\"" + attribute("x1", x1) + attribute("y1", y1) + attribute("x2", x2) +
           attribute("y2", y2) + "/>\n";
}

std::string x_tick(double x, const std::string& text) {
    return rule(x, kBottom, x, kBottom + 4) + text_at(x, kBottom + 18, "middle", text);
}

std::string y_tick(double y, const std::string& text) {
    return rule(kLeft, y, kRight, y) + text_at(kLeft - 8, y + 4, "end", text);
}

std::string figure(const PlotLabels& labels, const std::string& drawing) {
    const std::string title = html_text(labels.title);
    const double middle = (kTop + kBottom) / 2;
    const std::string turned = " transform=\"rotate(-90 13 " + coordinate(middle) + ")\"";
    return "<figure>\n<figcaption>" + title + "</figcaption>\n<svg viewBox=\"0 0 480 " + coordinate(kHeight) +
           "\" role=\"img\" aria-label=\"" + title + "\">\n" + drawing +
           text_at((kLeft + kRight) / 2, kHeight - 8, "middle", labels.x) +
           text_at(13, middle, "middle", labels.y, turned.c_str()) + "</svg>\n</figure>\n";
}

std::string nothing_to_show() {
    return text_at((kLeft + kRight) / 2, (kTop + kBottom) / 2, "middle", "nothing to show");
}

/// The least number of the form 1, 2 or 5 times a power of ten of which `steps` steps reach the value.
std::uint64_t tick_step(std::uint64_t value, std::uint64_t steps) {
    std::uint64_t step = 1;
    for (int i = 0; step * steps < value; ++i) step = i % 3 == 1 ? step / 2 * 5 : step * 2;
    return step;
}

}  // namespace

double round_step(double width) {
    const double ten = std::pow(10.0, std::floor(std::log10(width)));
    return ten * (width <= ten ? 1 : width <= 2 * ten ? 2 : width <= 5 * ten ? 5 : 10);
}

std::string plot(const PlotLabels& labels, const Histogram& histogram) {
    const std::size_t bars = histogram.counts.size();
    const std::uint64_t most = bars == 0 ? 0 : *std::max_element(histogram.counts.begin(), histogram.counts.end());
    if (most == 0) return figure(labels, nothing_to_show());
    const auto x_of = [bars](std::size_t i) {
        return kLeft + (kRight - kLeft) * static_cast<double>(i) / static_cast<double>(bars);
    };
    const auto y_of = [most](std::uint64_t count) {
        return kBottom - (kBottom - kTop) * static_cast<double>(count) / static_cast<double>(most);
    };
    std::string drawing;
    const std::uint64_t step = tick_step(most, 5);
    for (std::uint64_t tick = 0; tick <= most; tick += step)
        drawing += y_tick(y_of(tick), grouped_number(static_cast<std::int64_t>(tick)));
    for (std::size_t i = 0; i < bars; ++i) {
        const std::uint64_t count = histogram.counts[i];
        if (count == 0) continue;
        drawing += "<rect class=\"bar\"" + attribute("x", x_of(i) + 1) + attribute("y", y_of(count)) +
                   attribute("width", x_of(i + 1) - x_of(i) - 2) + attribute("height", kBottom - y_of(count)) +
                   "><title>" + html_text(histogram.names[i]) + ": " +
                   grouped_number(static_cast<std::int64_t>(count)) + "</title></rect>\n";
    }
    const auto stride = static_cast<std::int64_t>(tick_step(bars, kMostLabels - 1));
    for (std::size_t i = 0; i <= bars; ++i)
        if ((histogram.first + static_cast<std::int64_t>(i)) % stride == 0)
            drawing += x_tick(x_of(i), histogram.bounds[i]);
    return figure(labels, drawing);
}

std::string plot(const PlotLabels& labels, const Curve& curve) {
    if (curve.empty()) return figure(labels, nothing_to_show());
    const auto x_of = [](double share) { return kLeft + (kRight - kLeft) * share; };
    const auto y_of = [](double share) { return kBottom - (kBottom - kTop) * share; };
    std::string drawing;
    for (int percent = 0; percent <= 100; percent += 20) {
        drawing += x_tick(x_of(percent / 100.0), std::to_string(percent) + "%");
        drawing += y_tick(y_of(percent / 100.0), std::to_string(percent) + "%");
    }
    drawing += rule(x_of(0), y_of(0), x_of(1), y_of(1)) + "<polyline class=\"line\" points=\"";
    for (const auto& [x, y] : curve) drawing += coordinate(x_of(x)) + "," + coordinate(y_of(y)) + " ";
    return figure(labels, drawing + "\"/>\n");
}

std::string plot(const PlotLabels& labels, const Series& series) {
    constexpr double kMostSteps = 5;
    constexpr double kLeastShare = 1e-3;  // of a value, so that the labels, of four digits, differ
    const std::vector<Series::Point>& points = series.points;
    if (points.empty()) return figure(labels, nothing_to_show());
    const auto [least, greatest] = std::ranges::minmax(points, {}, &Series::Point::y);
    const double magnitude = std::max(std::fabs(least.y), std::fabs(greatest.y));
    const double step = round_step(std::max({(greatest.y - least.y) / kMostSteps, magnitude * kLeastShare, 1e-12}));
    const double bottom = std::floor(least.y / step), top = std::max(std::ceil(greatest.y / step), bottom + 1);
    const std::int64_t first = points.front().x, last = std::max(points.back().x, first + 1);
    const auto x_of = [first, last](std::int64_t x) {
        return kLeft + (kRight - kLeft) * static_cast<double>(x - first) / static_cast<double>(last - first);
    };
    const auto y_of = [=](double y) { return kBottom - (kBottom - kTop) * (y / step - bottom) / (top - bottom); };
    std::string drawing, line;
    for (double tick = bottom; tick <= top; ++tick) drawing += y_tick(y_of(tick * step), short_number(tick * step));
    const auto stride = static_cast<std::int64_t>(tick_step(static_cast<std::uint64_t>(last - first), kMostLabels - 1));
    for (std::int64_t x = (first + stride - 1) / stride * stride; x <= points.back().x; x += stride)
        drawing += x_tick(x_of(x), grouped_number(x));
    for (const Series::Point& point : points) line += coordinate(x_of(point.x)) + "," + coordinate(y_of(point.y)) + " ";
    drawing += "<polyline class=\"line\" points=\"" + line + "\"/>\n";
    for (const Series::Point& point : points)
        drawing += "<circle class=\"bar\" r=\"3\"" + attribute("cx", x_of(point.x)) + attribute("cy", y_of(point.y)) +
                   "><title>" + html_text(labels.x + " " + grouped_number(point.x) + ": " + short_number(point.y)) +
                   "</title></circle>\n";
    return figure(labels, drawing);
}

}  // namespace mf
