#include "report/report_page.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

#include "report/html.hpp"

namespace mf {
namespace {

constexpr const char* kStyle =
    ":root { color-scheme: light dark; --mark: #2563b0; --rule: #8886; }\n"
    "@media (prefers-color-scheme: dark) { :root { --mark: #7ab2f4; } }\n"
    "body { font: 15px/1.45 system-ui, sans-serif; max-width: 1320px; margin: 2em auto; padding: 0 1em; }\n"
    "h1 { overflow-wrap: anywhere; }\n"
    "section { overflow-x: auto; }\n"
    "table { border-collapse: collapse; }\n"
    "th, td { text-align: left; vertical-align: top; padding: 0.2em 1.2em 0.2em 0; "
    "border-bottom: 1px solid var(--rule); overflow-wrap: anywhere; }\n"
    ".plots, .tables { display: grid; gap: 0 3em; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30em), "
    "1fr)); }\n"
    "figure { margin: 1em 0; }\n"
    "figcaption { font-weight: bold; }\n"
    "svg { width: 100%; font-size: 12px; fill: currentColor; }\n"
    ".bar { fill: var(--mark); }\n"
    ".line { fill: none; stroke: var(--mark); stroke-width: 2; }\n"
    ".rule { stroke: var(--rule); }\n";

std::string heading(const std::string& text) { return "<h2>" + html_text(text) + "</h2>\n"; }

std::string cell(const char* element, const std::string& text) {
    return std::string("<") + element + ">" + html_text(text) + "</" + element + ">";
}

std::string pairs_table(const std::string& title, const std::vector<std::pair<std::string, std::string>>& rows) {
    std::string table = "<section>\n" + heading(title) + "<table>\n";
    for (const auto& [name, value] : rows) table += "<tr>" + cell("th", name) + cell("td", value) + "</tr>\n";
    return table + "</table>\n</section>\n";
}

std::string table_section(const char* title, const ReportTable& content, const std::string& note = {}) {
    std::string table = "<section>\n" + heading(title) + "<table>\n<tr>";
    for (const std::string& column : content.columns) table += cell("th", column);
    table += "</tr>\n";
    for (const std::vector<std::string>& row : content.rows) {
        table += "<tr>";
        for (const std::string& value : row) table += cell("td", value);
        table += "</tr>\n";
    }
    return table + "</table>\n" + (note.empty() ? "" : "<p>" + note + "</p>\n") + "</section>\n";
}

std::string versions_table(const Report& report) {
    return table_section("Versions", report.versions,
                         report.versions_left_out > 0
                             ? std::to_string(report.versions_left_out) + " older versions are not shown."
                             : "");
}

std::string concentration_plot(const std::vector<InteractionGroup>& items) {
    constexpr int kSteps = 100;
    const auto percent = [&items](double share) {
        return short_number(100 * share_of_most_popular(items, share)) + "%";
    };
    Curve curve;
    if (!items.empty())
        for (int i = 0; i <= kSteps; ++i) {
            const double share = static_cast<double>(i) / kSteps;
            curve.emplace_back(share, share_of_most_popular(items, share));
        }
    return plot({"Concentration: the most popular 1% of the items have " + percent(0.01) +
                     " of all interactions, 10% have " + percent(0.1),
                 "share of the items, the most popular first", "share of all interactions"},
                curve);
}

std::string distribution_plot(const Distribution& distribution) {
    Histogram histogram{distribution.counts, {}, {}, distribution.first};
    for (std::size_t i = 0; i <= distribution.counts.size(); ++i)
        histogram.bounds.push_back(
            short_number(static_cast<double>(distribution.first + static_cast<std::int64_t>(i)) * distribution.step));
    for (std::size_t i = 0; i < distribution.counts.size(); ++i)
        histogram.names.push_back(histogram.bounds[i] + " to " + histogram.bounds[i + 1]);
    return plot(distribution.labels, histogram);
}

}  // namespace

std::vector<InteractionGroup> group_interactions(std::vector<std::uint32_t> interactions) {
    std::ranges::sort(interactions, std::greater<>());
    std::vector<InteractionGroup> groups;
    for (const std::uint32_t count : interactions) {
        if (groups.empty() || groups.back().interactions != count) groups.push_back({count, 0});
        ++groups.back().members;
    }
    return groups;
}

Distribution distribution_of(const std::vector<double>& values, const PlotLabels& labels) {
    constexpr double kBins = 30;
    Distribution distribution{labels, 1, 0, {}};
    if (values.empty()) return distribution;
    const auto [least, greatest] = std::ranges::minmax(values);
    const double width = (greatest - least) / kBins;
    if (width > 0) {
        const double ten = std::pow(10.0, std::floor(std::log10(width)));
        distribution.step = ten * (width <= ten ? 1 : width <= 2 * ten ? 2 : width <= 5 * ten ? 5 : 10);
    }
    const auto bin = [&](double value) { return static_cast<std::int64_t>(std::floor(value / distribution.step)); };
    distribution.first = bin(least);
    distribution.counts.resize(static_cast<std::size_t>(bin(greatest) - distribution.first) + 1);
    for (const double value : values) ++distribution.counts[static_cast<std::size_t>(bin(value) - distribution.first)];
    return distribution;
}

Histogram histogram_by_powers_of_two(const std::vector<InteractionGroup>& groups) {
    Histogram histogram;
    if (groups.empty()) return histogram;
    // bit_width is the number of the bar: 0 for 0, 1 for 1, 2 for 2 and 3, ...
    const auto [least, most] = std::minmax_element(
        groups.begin(), groups.end(), [](const auto& a, const auto& b) { return a.interactions < b.interactions; });
    const int first = std::bit_width(least->interactions);
    const int last = std::bit_width(most->interactions);
    histogram.counts.resize(static_cast<std::size_t>(last - first) + 1);
    for (const InteractionGroup& group : groups)
        histogram.counts[static_cast<std::size_t>(std::bit_width(group.interactions) - first)] += group.members;
    const auto lower = [](int bar) { return bar == 0 ? 0 : std::uint64_t{1} << (bar - 1); };
    for (int bar = first; bar <= last; ++bar) {
        const std::string from = std::to_string(lower(bar));
        histogram.names.push_back(bar < 2 ? from : from + " to " + std::to_string(lower(bar + 1) - 1));
        histogram.bounds.push_back(from);
    }
    histogram.bounds.push_back(std::to_string(lower(last + 1)));
    return histogram;
}

double share_of_most_popular(const std::vector<InteractionGroup>& groups, double share) {
    double members = 0, interactions = 0;
    for (const InteractionGroup& group : groups) {
        members += static_cast<double>(group.members);
        interactions += static_cast<double>(group.members) * static_cast<double>(group.interactions);
    }
    if (interactions == 0) return 0;
    double left = share * members, sum = 0;
    for (const InteractionGroup& group : groups) {
        const double taken = std::min(left, static_cast<double>(group.members));
        sum += taken * static_cast<double>(group.interactions);
        left -= taken;
    }
    return sum / interactions;
}

std::string report_page(const Report& report) {
    const std::string title = "Model " + html_text(report.model);
    std::string page =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>" +
        title + "</title>\n<style>\n" + kStyle + "</style>\n</head>\n<body>\n<h1>" + title + "</h1>\n";
    page += "<div class=\"tables\">\n" + pairs_table("Facts", report.facts) + "<div>\n" +
            pairs_table("Metrics", report.metrics) + pairs_table("Parameters", report.parameters) + "</div>\n</div>\n";
    if (!report.search.rows.empty()) page += table_section("Search", report.search);
    page += versions_table(report) + heading("Interactions") + "<div class=\"plots\">\n";
    page +=
        plot({"Interactions per user", "interactions of a user", "users"}, histogram_by_powers_of_two(report.users));
    page +=
        plot({"Interactions per item", "interactions of an item", "items"}, histogram_by_powers_of_two(report.items));
    page += concentration_plot(report.items) + "</div>\n" + heading("Trained values") + "<div class=\"plots\">\n";
    for (const Distribution& distribution : report.distributions) page += distribution_plot(distribution);
    return page + "</div>\n</body>\n</html>\n";
}

}  // namespace mf
