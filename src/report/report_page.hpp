// A model's report as one page: facts, metrics, parameters, versions, items with their neighbours, and plots of the
// distributions of interactions and trained values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "report/example_items.hpp"
#include "report/svg.hpp"

namespace mf {

/// A number of users, or items, that have the same number of interactions each.
struct InteractionGroup {
    std::uint64_t interactions;
    std::uint64_t members;
};

/// The distribution of values: counts[i] values are in the bin that begins at (first + i) * step.
struct Distribution {
    PlotLabels labels;
    double step = 1;
    std::int64_t first = 0;
    std::vector<std::uint64_t> counts;
};

struct ReportColumn {
    std::string name;
    enum Kind { Number, Word, Text } kind = Number;  ///< only a Text wraps
};

struct ReportTable {
    std::vector<ReportColumn> columns;
    std::vector<std::vector<std::string>> rows;
};

using ReportPairs = std::vector<std::pair<std::string, std::string>>;

struct LabelledSeries {
    PlotLabels labels;
    Series series;
};

/// All texts are UTF-8, not escaped. Groups are in descending order of their interactions, all of them different.
struct Report {
    std::string model;
    std::string subtitle;
    ReportPairs figures;  ///< the numbers shown first
    ReportPairs facts;
    ReportPairs metrics;
    bool held_out = false;  ///< rows were held out, so that there are metrics of them
    ReportPairs parameters;
    ReportPairs options;             ///< given in the call
    ReportPairs found;               ///< found from the data
    ReportPairs constants;           ///< numbers that the model serves with
    std::vector<std::string> notes;  ///< what the search says about itself, a sentence each
    ReportTable search;  ///< the points at which numbers were searched, in their order; shown if it has rows
    ReportTable versions;
    std::size_t versions_left_out = 0;
    std::vector<LabelledSeries> iterations;       ///< what each iteration reached
    std::vector<LabelledSeries> version_metrics;  ///< metrics of the training runs over time
    std::vector<InteractionGroup> users;
    std::vector<InteractionGroup> items;
    std::vector<ExampleItem> examples;
    std::vector<Distribution> distributions;
};

/// The groups of members with the same number of interactions. O(n log n).
std::vector<InteractionGroup> group_interactions(std::vector<std::uint32_t> interactions);

/// About 30 bins, 1, 2 or 5 times a power of ten wide, from the least to the greatest value. All values are finite.
/// O(n).
Distribution distribution_of(const std::vector<double>& values, const PlotLabels& labels);

/// Numbers of members by powers of two of their interactions: 0, 1, 2 to 3, 4 to 7, ... without empty bars at either
/// end.
Histogram histogram_by_powers_of_two(const std::vector<InteractionGroup>& groups);

/// The share of all interactions that the most popular `share` of all members have; 0 if there are none. O(groups).
double share_of_most_popular(const std::vector<InteractionGroup>& groups, double share);

/// The page: HTML 5 that is well-formed XML, in ASCII, without scripts and external resources.
std::string report_page(const Report& report);

}  // namespace mf
