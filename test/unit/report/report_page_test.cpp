#include "report/report_page.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "report/html.hpp"

namespace mf {
namespace {

std::size_t times(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

TEST(GroupInteractions, HasTheMostFirst) {
    EXPECT_TRUE(group_interactions({}).empty());
    const std::vector<InteractionGroup> groups = group_interactions({2, 0, 7, 2, 2, 0});
    ASSERT_EQ(groups.size(), 3u);
    EXPECT_EQ(groups[0].interactions, 7u);
    EXPECT_EQ(groups[0].members, 1u);
    EXPECT_EQ(groups[1].interactions, 2u);
    EXPECT_EQ(groups[1].members, 3u);
    EXPECT_EQ(groups[2].interactions, 0u);
    EXPECT_EQ(groups[2].members, 2u);
}

TEST(DistributionOf, HasRoundBinsThatHoldEverything) {
    EXPECT_TRUE(distribution_of({}, {}).counts.empty());
    const Distribution alike = distribution_of({-0.5, -0.5}, {});
    EXPECT_EQ(alike.step, 1.0);
    EXPECT_EQ(alike.first, -1);
    EXPECT_EQ(alike.counts, std::vector<std::uint64_t>{2});
    const Distribution spread = distribution_of({-3.0, 0.0, 0.25, 4.0, 9.0}, {});  // a width of 0.4
    EXPECT_EQ(spread.step, 0.5);
    EXPECT_EQ(spread.first, -6);
    ASSERT_EQ(spread.counts.size(), 25u);
    EXPECT_EQ(spread.counts[0], 1u);
    EXPECT_EQ(spread.counts[6], 2u);
    EXPECT_EQ(spread.counts[14], 1u);
    EXPECT_EQ(spread.counts[24], 1u);
    for (const double width : {1.0, 1.5, 4.0, 7.0, 10.0}) {
        const Distribution wide = distribution_of({0.0, 30 * width}, {});
        EXPECT_GE(wide.step, width);
        EXPECT_EQ(wide.step, width <= 1 ? 1.0 : width <= 2 ? 2.0 : width <= 5 ? 5.0 : 10.0);
    }
}

TEST(Html, EscapesMarkupAndWhatIsNotAscii) {
    EXPECT_EQ(html_text("a b~"), "a b~");
    EXPECT_EQ(html_text("<&>\"'"), "&#60;&#38;&#62;&#34;&#39;");
    EXPECT_EQ(html_text("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), "&#233;&#8364;&#128512;");
    EXPECT_EQ(html_text("\t\n"), "&#9;&#10;");
}

TEST(Html, ReplacesWhatAPageCannotContain) {
    const std::string r = "&#65533;";
    EXPECT_EQ(html_text(std::string_view("\0\x1F\x7F", 3)), r + r + r);
    EXPECT_EQ(html_text("\xC2\x80"), r);  // a control
    EXPECT_EQ(html_text("\xFF"
                        "a"),
              r + "a");               // no lead byte
    EXPECT_EQ(html_text("\xC3"), r);  // cut off
    EXPECT_EQ(html_text("\xC3"
                        "a"),
              r + "a");                       // the next one is kept
    EXPECT_EQ(html_text("\xC0\xBC"), r + r);  // "<" in a longer form
    EXPECT_EQ(html_text("\xE0\x80\xBC"), r + r + r);
    EXPECT_EQ(html_text("\xED\xA0\x80"), r);                  // a surrogate
    EXPECT_EQ(html_text("\xEF\xBF\xBF"), r);                  // not a character
    EXPECT_EQ(html_text("\xF4\x90\x80\x80"), r + r + r + r);  // beyond the last one
}

TEST(Html, Numbers) {
    EXPECT_EQ(short_number(0), "0");
    EXPECT_EQ(short_number(-0.123456), "-0.1235");
    EXPECT_EQ(short_number(0.3), "0.3");
    EXPECT_EQ(grouped_number(0), "0");
    EXPECT_EQ(grouped_number(999), "999");
    EXPECT_EQ(grouped_number(1000), "1,000");
    EXPECT_EQ(grouped_number(-123456), "-123,456");
    EXPECT_EQ(grouped_number(20000263), "20,000,263");
}

TEST(Report, HistogramByPowersOfTwo) {
    const Histogram none = histogram_by_powers_of_two({});
    EXPECT_TRUE(none.counts.empty());
    const Histogram histogram = histogram_by_powers_of_two({{16, 1}, {7, 2}, {4, 3}, {1, 5}, {0, 4}});
    EXPECT_EQ(histogram.counts, (std::vector<std::uint64_t>{4, 5, 0, 5, 0, 1}));
    EXPECT_EQ(histogram.names, (std::vector<std::string>{"0", "1", "2 to 3", "4 to 7", "8 to 15", "16 to 31"}));
    EXPECT_EQ(histogram.bounds, (std::vector<std::string>{"0", "1", "2", "4", "8", "16", "32"}));
    EXPECT_EQ(histogram_by_powers_of_two({{3, 2}}).bounds, (std::vector<std::string>{"2", "4"}));
    EXPECT_EQ(histogram_by_powers_of_two({{2147483647, 1}}).bounds.back(), "2147483648");
}

TEST(Report, ShareOfMostPopular) {
    const std::vector<InteractionGroup> items = {{50, 1}, {10, 4}, {2, 5}};  // 100 interactions with 10 items
    EXPECT_DOUBLE_EQ(share_of_most_popular(items, 0), 0);
    EXPECT_DOUBLE_EQ(share_of_most_popular(items, 0.05), 0.25);
    EXPECT_DOUBLE_EQ(share_of_most_popular(items, 0.1), 0.5);
    EXPECT_DOUBLE_EQ(share_of_most_popular(items, 0.3), 0.7);
    EXPECT_DOUBLE_EQ(share_of_most_popular(items, 1), 1);
    EXPECT_EQ(share_of_most_popular({}, 0.5), 0);
    EXPECT_EQ(share_of_most_popular({{0, 3}}, 0.5), 0);
}

TEST(Plot, BarsReachAsHighAsTheirCounts) {
    const std::string svg = plot({"T<", "x&", "y"}, Histogram{{1, 0, 4}, {"a", "b", "c"}, {"p", "q", "r", "s"}, 0});
    EXPECT_EQ(times(svg, "<rect"), 2u);  // none of height 0
    EXPECT_NE(svg.find("height=\"58.0\"><title>a: 1</title>"), std::string::npos);
    EXPECT_NE(svg.find("height=\"232.0\"><title>c: 4</title>"), std::string::npos);
    for (const char* bound : {">p<", ">q<", ">r<", ">s<", ">T&#60;<", ">x&#38;<", ">y<"})
        EXPECT_EQ(times(svg, bound), 1u);
}

TEST(Plot, LabelsHaveRoom) {
    for (const std::size_t bars : {1u, 2u, 10u, 11u, 31u, 33u, 64u}) {
        const Histogram histogram{std::vector<std::uint64_t>(bars, 3), std::vector<std::string>(bars, "n"),
                                  std::vector<std::string>(bars + 1, "BOUND"), -7};
        const std::size_t labels = times(plot({}, histogram), "BOUND");
        EXPECT_GE(labels, bars == 1 ? 2u : 3u) << bars;
        EXPECT_LE(labels, 11u) << bars;
    }
    // Round numbers of the axis, not of the bars.
    const std::string svg = plot({}, Histogram{std::vector<std::uint64_t>(12, 1),
                                               std::vector<std::string>(12, "n"),
                                               {"-3", "-2", "-1", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
                                               -3});
    for (const char* label : {">-2<", ">2<", ">8<"}) EXPECT_EQ(times(svg, label), 1u) << label;
    EXPECT_EQ(times(svg, ">-3<"), 0u);
}

TEST(Plot, RoundSteps) {
    for (const auto& [width, step] :
         {std::pair(0.3, 0.5), std::pair(1.0, 1.0), std::pair(1.1, 2.0), std::pair(5.5, 10.0)})
        EXPECT_DOUBLE_EQ(round_step(width), step);
}

TEST(Plot, SeriesGoesFromTheFirstToTheLastPoint) {
    const std::string svg = plot({"T<", "iteration", "loss"}, Series{{{1, 0.9}, {2, 0.5}, {4, 0.4}}});
    EXPECT_EQ(times(svg, "<circle"), 3u);
    EXPECT_EQ(times(svg, "<title>iteration 2: 0.5</title>"), 1u);
    EXPECT_EQ(times(svg, "points=\"84.0,12.0 210.7,197.6 464.0,244.0 \""), 1u);  // corners, and a third of the width
    for (const char* label : {">0.4<", ">0.5<", ">0.6<", ">0.7<", ">0.8<", ">0.9<", ">1<", ">2<", ">3<", ">4<"})
        EXPECT_EQ(times(svg, label), 1u) << label;
}

TEST(Plot, SeriesOfAnyRangeHasFewLabelsThatDiffer) {
    for (const Series& series :
         {Series{{{7, 3}}}, Series{{{1, 0}, {2, 0}}}, Series{{{1, -1e15}, {200, 1e15}}}, Series{{{1, 1e-300}, {3, 0}}},
          Series{{{1, 0.123456}, {2, 0.123457}}}, Series{{{1, -2}, {1000000, -2.00001}}}}) {
        const std::string svg = plot({"", "x", "y"}, series);
        const std::size_t labels = times(svg, "<text");
        EXPECT_GE(labels, 4u) << svg;
        EXPECT_LE(labels, 20u) << svg;
        EXPECT_EQ(times(svg, "nan") + times(svg, "inf"), 0u) << svg;
        std::set<std::string> ticks;
        std::size_t count = 0;
        const std::string mark = "text-anchor=\"end\">";
        for (std::size_t at = svg.find(mark); at != std::string::npos; at = svg.find(mark, at + 1), ++count)
            ticks.insert(svg.substr(at + mark.size(), svg.find('<', at) - at - mark.size()));
        EXPECT_EQ(ticks.size(), count) << svg;
    }
}

TEST(Plot, NothingToShow) {
    EXPECT_EQ(times(plot({}, Histogram{}), "nothing to show"), 1u);
    EXPECT_EQ(times(plot({}, Histogram{{0}, {"n"}, {"a", "b"}, 0}), "nothing to show"), 1u);
    EXPECT_EQ(times(plot({}, Curve{}), "nothing to show"), 1u);
    EXPECT_EQ(times(plot({}, Series{}), "nothing to show"), 1u);
}

TEST(Report, SaysWhatItLeavesOut) {
    Report report;
    report.model = "<b>";
    report.versions_left_out = 7;
    const std::string page = report_page(report);
    EXPECT_EQ(times(page, "<b>"), 0u);
    EXPECT_EQ(times(page, "7 older versions are not shown"), 1u);
    EXPECT_EQ(times(page, "nothing to show"), 2u);  // of items: a version may be without users
    EXPECT_EQ(times(page, "No rows were held out"), 1u);
    report.held_out = true;
    EXPECT_EQ(times(report_page(report), "No rows were held out"), 0u);
}

TEST(Report, EscapesAllThatComesFromData) {
    const std::string hostile = "</td><script>'\"&";
    Report report;
    report.model = report.subtitle = hostile;
    report.figures = report.facts = report.metrics = report.parameters = report.options = report.found =
        report.constants = {{hostile, hostile}};
    report.notes = {hostile};
    report.search = report.versions = {{{hostile, ReportColumn::Text}}, {{hostile}}};
    report.examples = {{hostile, 1, {}, {{hostile, 0.5}}}};
    report.iterations = report.version_metrics = {{{hostile, hostile, hostile}, {{{1, 1}}}}};
    const std::string page = report_page(report);
    EXPECT_EQ(times(page, "<script"), 0u);
    EXPECT_EQ(times(page, "&#60;script&#62;"), 35u);  // every text above is in the page
}

TEST(Html, ShortensFractionsOnly) {
    EXPECT_EQ(shortened_numbers("0.30000000000000004"), "0.3");
    EXPECT_EQ(shortened_numbers("a 2.8466095698153606, b -0.1234567"), "a 2.847, b -0.1235");
    EXPECT_EQ(shortened_numbers("[0.123456, 12345678]"), "[0.1235, 12345678]");
    for (const char* same : {"", ",", "9007199254740993", "1.2.3", "v1.234567", "half", "."})
        EXPECT_EQ(shortened_numbers(same), same);
}

TEST(Html, ShortensTextBetweenCharacters) {
    EXPECT_EQ(shortened_text(std::string(80, 'a')), std::string(80, 'a'));
    EXPECT_EQ(shortened_text(std::string(81, 'a')), std::string(80, 'a') + "\xE2\x80\xA6");
    std::string accents = "a";
    for (int i = 0; i < 50; ++i) accents += "\xC3\xA9";
    EXPECT_EQ(shortened_text(accents), accents.substr(0, 79) + "\xE2\x80\xA6");
}

TEST(ExampleItemsOfReport, AreThoseOfMostInteractionsWithTheNearest) {
    ExampleItems examples;
    const std::vector<std::pair<std::string, std::vector<float>>> items = {
        {"a", {1, 0}}, {"b", {2, 1}}, {"c", {0, 3}}, {"d", {-1, 0}}, {"e", {0, 0}}, {"f", {1, 1}}, {"g", {1}}};
    const std::vector<std::uint32_t> interactions = {9, 1, 5, 9, 7, 2, 1};
    for (std::size_t i = 0; i < items.size(); ++i) examples.offer(items[i].first, interactions[i], items[i].second);
    for (const auto& [id, factors] : items) examples.compare(id, factors);
    std::string ids;
    for (const ExampleItem& item : examples.items()) ids += item.id;
    EXPECT_EQ(ids, "adecf");
    std::string nearest;
    for (const Neighbour& other : examples.items()[0].nearest) nearest += other.id;
    EXPECT_EQ(nearest, "bfc");
    EXPECT_NEAR(examples.items()[0].nearest[0].cosine, 2 / std::sqrt(5.0), 1e-7);
    EXPECT_TRUE(examples.items()[2].nearest.empty());  // e has no direction
}

}  // namespace
}  // namespace mf
