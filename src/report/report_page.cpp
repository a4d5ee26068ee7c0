#include "report/report_page.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

#include "report/html.hpp"
#include "report/page_style.hpp"

namespace mf {
namespace {

std::string heading(const std::string& text) { return "<h2>" + html_text(text) + "</h2>\n"; }

std::string cell(const char* element, const std::string& text) {
    return std::string("<") + element + ">" + html_text(text) + "</" + element + ">";
}

std::string paragraph(const std::string& text) { return "<p class=\"muted\">" + html_text(text) + "</p>\n"; }

std::string tiles(const ReportPairs& figures) {
    std::string list = "<dl class=\"tiles\">\n";
    for (const auto& [name, value] : figures) list += "<div>" + cell("dt", name) + cell("dd", value) + "</div>\n";
    return figures.empty() ? "" : list + "</dl>\n";
}

std::string pairs_section(const std::string& title, const ReportPairs& rows, const std::string& more = {},
                          const char* attributes = "") {
    std::string table;
    for (const auto& [name, value] : rows) table += "<tr>" + cell("th", name) + cell("td", value) + "</tr>\n";
    if (!table.empty()) table = std::string("<table") + attributes + ">\n" + table + "</table>\n";
    return table.empty() && more.empty() ? "" : "<section>\n" + heading(title) + table + more + "</section>\n";
}

std::string table_section(const char* title, const ReportTable& content, const std::string& note = {}) {
    constexpr const char* kClasses[] = {" class=\"number\"", "", " class=\"text\""};
    std::string table = "<section>\n" + heading(title) + "<div class=\"wide\">\n<table>\n<tr>";
    const auto add = [&](const char* element, std::size_t column, const std::string& value) {
        table += std::string("<") + element + kClasses[content.columns[column].kind] + ">" + html_text(value) + "</" +
                 element + ">";
    };
    for (std::size_t i = 0; i < content.columns.size(); ++i) add("th", i, content.columns[i].name);
    table += "</tr>\n";
    for (const std::vector<std::string>& row : content.rows) {
        table += "<tr>";
        for (std::size_t i = 0; i < row.size(); ++i) add("td", i, row[i]);
        table += "</tr>\n";
    }
    return table + "</table>\n</div>\n" + note + "</section>\n";
}

std::string plots(const std::vector<LabelledSeries>& series) {
    std::string figures;
    for (const LabelledSeries& one : series) figures += plot(one.labels, one.series);
    return figures.empty() ? "" : "<div class=\"plots\">\n" + figures + "</div>\n";
}

std::string series_section(const char* title, const std::vector<LabelledSeries>& series) {
    return series.empty() ? "" : "<section>\n" + heading(title) + plots(series) + "</section>\n";
}

std::string versions_section(const Report& report) {
    const std::size_t left_out = report.versions_left_out;
    return table_section("Versions", report.versions,
                         (left_out > 0 ? paragraph(std::to_string(left_out) + " older versions are not shown.") : "") +
                             plots(report.version_metrics));
}

/// The model's name as a literal of SQL.
std::string sql_literal(const std::string& text) {
    std::string literal = "'";
    for (const char c : text) literal += c == '\'' ? std::string("''") : std::string(1, c);
    return literal + "'";
}

std::string metrics_section(const Report& report) {
    std::string notes;
    if (!report.held_out)
        notes += paragraph(
            "No rows were held out; to measure a model on rows that it has not seen, train it with test_fraction or "
            "call mf_cross_validate.");
    notes += "<p class=\"muted\">On other rows, and with further metrics: <code>" +
             html_text("SELECT * FROM mf_evaluate(" + sql_literal(report.model) + ", 'test_rows', 10)") +
             "</code></p>\n";
    return pairs_section("Metrics", report.metrics, notes);
}

std::string example_section(const std::vector<ExampleItem>& examples) {
    if (examples.empty()) return "";
    std::string section = "<section>\n" + heading("Items and their nearest neighbours") +
                          paragraph(
                              "The items with most interactions, each with the items whose ranking factors have "
                              "the greatest cosine with its own.") +
                          "<div class=\"cards\">\n";
    for (const ExampleItem& item : examples) {
        section +=
            "<div class=\"card\">" + cell("h3", shortened_text(item.id)) +
            paragraph(grouped_number(item.interactions) + (item.interactions == 1 ? " interaction" : " interactions"));
        if (item.nearest.empty()) section += paragraph("No other item has ranking factors to compare.");
        std::string rows;
        for (const Neighbour& other : item.nearest)
            rows += "<tr>" + cell("td", shortened_text(other.id)) + cell("td", short_number(other.cosine)) + "</tr>\n";
        section += (rows.empty() ? "" : "<table>\n" + rows + "</table>\n") + "</div>\n";
    }
    return section + "</div>\n</section>\n";
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
    if (width > 0) distribution.step = round_step(width);
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
        title + "</title>\n<style>\n" + kPageStyle + "</style>\n</head>\n<body>\n<h1>" + title + "</h1>\n" +
        paragraph(report.subtitle) + tiles(report.figures);
    page += "<div class=\"tables\">\n" + pairs_section("Facts", report.facts, {}, " class=\"facts\"") +
            metrics_section(report) + "</div>\n" + series_section("Iterations", report.iterations) +
            versions_section(report) + example_section(report.examples) + heading("Interactions and trained values") +
            "<div class=\"plots\">\n";
    if (!report.users.empty())
        page += plot({"Interactions per user", "interactions of a user", "users"},
                     histogram_by_powers_of_two(report.users));
    page +=
        plot({"Interactions per item", "interactions of an item", "items"}, histogram_by_powers_of_two(report.items));
    page += concentration_plot(report.items);
    for (const Distribution& distribution : report.distributions) page += distribution_plot(distribution);
    page += "</div>\n<div class=\"tables\">\n<div>\n" + pairs_section("Parameters", report.parameters) +
            pairs_section("Options given", report.options) + pairs_section("Found from the data", report.found) +
            "</div>\n" + pairs_section("Constants of the model", report.constants) + "</div>\n";
    std::string notes;
    for (const std::string& note : report.notes) notes += paragraph(note);
    if (!report.search.rows.empty())
        page += table_section("Search", report.search, notes);
    else if (!notes.empty())
        page += heading("Search") + notes;
    return page + "</body>\n</html>\n";
}

}  // namespace mf
