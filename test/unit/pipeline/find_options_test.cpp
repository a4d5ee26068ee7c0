#include "core/pipeline/find_options.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/random.hpp"
#include "core/evaluation/metrics.hpp"
#include "core/pipeline/train.hpp"
#include "unit/generated_data.hpp"

namespace mf {
namespace {

using test::Entry;
using test::make_dataset;
using test::planted_ratings;

TrainOptions searching(Feedback feedback) {
    TrainOptions options;
    options.feedback = feedback;
    options.search.enabled = true;
    options.als.iterations = options.ials.iterations = 4;
    return options;
}

Dataset ratings(Environment& environment, double noise) {
    return make_dataset(planted_ratings(500, 150, 3, 0.25, noise, 5), environment);
}

/// Users like the items of their own of `groups` groups: popularity knows nothing.
Dataset plays(Environment& environment, std::uint32_t users, std::uint32_t items, std::uint32_t groups) {
    std::vector<Entry> entries;
    Random random(9);
    for (std::uint32_t u = 0; u < users; ++u)
        for (std::uint32_t i = 0; i < items; ++i)
            if (random.uniform() < (u % groups == i % groups ? 0.5 : 0.01)) entries.push_back({u, i, 1});
    return make_dataset(entries, environment);
}

FoundOptions find(const Dataset& dataset, const TrainOptions& options, Environment& environment) {
    return find_options(dataset.by_user, id_hashes(dataset, environment), options, environment);
}

std::vector<double> numbers_of(const FoundOptions& found) {
    std::vector<double> numbers;
    const auto add = [&](const Settings& settings) {
        for (const Setting& setting : settings) numbers.push_back(std::get<double>(setting.value));
    };
    add(found.found);
    for (const SearchPoint& point : found.points) {
        add(point.settings);
        numbers.push_back(std::isnan(point.rmse) ? -1 : point.rmse);
        numbers.push_back(std::isnan(point.ndcg) ? -1 : point.ndcg);
    }
    return numbers;
}

std::vector<std::string> names_of(const Settings& settings) {
    std::vector<std::string> names;
    for (const Setting& setting : settings) names.push_back(setting.name);
    return names;
}

TEST(FindOptions, WhatWasGivenStaysAndTheRestIsFound) {
    Environment environment;
    const Dataset dataset = ratings(environment, 0.5);
    TrainOptions options = searching(Feedback::Explicit);
    set_option(options, "factors", 5);
    set_option(options, "unobserved_weight", 30);
    const FoundOptions found = find(dataset, options, environment);
    EXPECT_EQ(names_of(found.found), (std::vector<std::string>{"regularization", "ranking_regularization"}));
    EXPECT_EQ(found.options.factors, 5);
    EXPECT_EQ(found.options.rating_factors_or_default(), 5);
    EXPECT_EQ(found.options.ials.unobserved_weight, 30);
    EXPECT_EQ(found.options.als.regularization, std::get<double>(found.found[0].value));
    EXPECT_EQ(found.options.ials.regularization, std::get<double>(found.found[1].value));
    EXPECT_FALSE(found.options.search.enabled);
    for (const std::string& note : found.notes) EXPECT_NE(note.find("popular"), std::string::npos) << note;
    EXPECT_GE(found.points.size(), 6u);
    for (const SearchPoint& point : found.points) {
        ASSERT_EQ(point.settings.size(), 1u);
        EXPECT_NE(std::isnan(point.rmse), std::isnan(point.ndcg));
    }

    // No point of the factors of which everything is given.
    set_option(options, "regularization", 1);
    for (const SearchPoint& point : find(dataset, options, environment).points) EXPECT_FALSE(std::isnan(point.ndcg));

    // Nothing is open, or the search is off.
    set_option(options, "ranking_regularization", 1);
    EXPECT_TRUE(find(dataset, options, environment).points.empty());
    EXPECT_TRUE(find(dataset, options, environment).found.empty());
    TrainOptions off = searching(Feedback::Explicit);
    off.search.enabled = false;
    EXPECT_TRUE(find(dataset, off, environment).points.empty());
    EXPECT_FALSE(needs_search(off));
    EXPECT_FALSE(needs_search(options));
}

// The best point of the search is the one taken, and it is better on rows that neither training nor search have seen.
TEST(FindOptions, PredictsBetterThanTheDefaults) {
    Environment environment;
    const Dataset dataset = ratings(environment, 0.1);
    const IdHashes hashes = id_hashes(dataset, environment);
    const HoldOut parts = hold_out(dataset.by_user, hashes, 0.2, 3, environment);
    const Csr by_item = transpose(parts.train, environment);
    const TrainOptions options = searching(Feedback::Explicit);
    const FoundOptions found = find_options(parts.train, hashes, options, environment);
    const auto rmse = [&](const TrainOptions& one) {
        const RatingModel model =
            rating_trainer(one)->train({parts.train, by_item}, for_rating_factors(one), environment, {}, nullptr);
        return measure_predictions(model, parts.test, environment).rmse();
    };
    EXPECT_LT(rmse(found.options), 0.9 * rmse(options));
    EXPECT_EQ(found.options.rating_factors, 8);
    EXPECT_LT(found.options.als.regularization, 1);
}

TEST(FindOptions, TakesManyFactorsOnlyWhereTheyGain) {
    Environment environment;
    // More groups than the fewest factors can tell apart.
    EXPECT_GE(find(plays(environment, 1200, 600, 100), searching(Feedback::Implicit), environment).options.factors,
              128);
    TrainOptions overfitting = searching(Feedback::Implicit);
    set_option(overfitting, "regularization", 0.05);
    set_option(overfitting, "unobserved_weight", 40);
    EXPECT_EQ(find(plays(environment, 600, 300, 4), overfitting, environment).options.factors, 64);
}

// Everybody has most items: what is popular with others is all that is known.
TEST(FindOptions, SaysWherePopularityIsBetter) {
    Environment environment;
    std::vector<Entry> entries;
    Random random(3);
    for (std::uint32_t u = 0; u < 300; ++u)
        for (std::uint32_t i = 0; i < 150; ++i)
            if (random.uniform() < 0.9 - 0.005 * i) entries.push_back({u, i, 1});
    TrainOptions options = searching(Feedback::Implicit);
    set_option(options, "regularization", 0.01);
    const FoundOptions found = find(make_dataset(entries, environment), options, environment);
    ASSERT_EQ(found.notes.size(), 1u);
    EXPECT_EQ(
        found.notes[0].find("lists of the most popular items are better than those of the model on held-out rows: "
                            "NDCG@50 0."),
        0u)
        << found.notes[0];
}

TEST(FindOptions, IsTheSameForAnyThreads) {
    Environment one, three;
    three.threads = 3;
    const Dataset dataset = ratings(one, 0.7);
    TrainOptions options = searching(Feedback::Explicit);
    options.als.iterations = options.ials.iterations = 1;
    const FoundOptions found = find(dataset, options, one);
    EXPECT_EQ(numbers_of(found), numbers_of(find(dataset, options, three)));
    EXPECT_EQ(names_of(found.found), (std::vector<std::string>{"factors", "rating_factors", "regularization",
                                                               "ranking_regularization", "unobserved_weight"}));
}

TEST(FindOptions, TooFewRowsLeaveTheDefaults) {
    Environment environment;
    for (const Dataset& dataset : {make_dataset({{0, 0, 1}}, environment), plays(environment, 30, 300, 2),
                                   make_dataset(planted_ratings(60, 20, 2, 0.4, 0.1, 1), environment)}) {
        const FoundOptions found = find(dataset, searching(Feedback::Implicit), environment);
        EXPECT_TRUE(found.points.empty());
        EXPECT_TRUE(found.found.empty());
        EXPECT_EQ(found.options.factors, 64);
        EXPECT_EQ(found.notes,
                  std::vector<std::string>{"too few interactions to find numbers from: the defaults are used"});
    }
}

TEST(FindOptions, EqualRatingsLeaveTheDefaults) {
    Environment environment;
    const FoundOptions found = find(plays(environment, 200, 200, 2), searching(Feedback::Explicit), environment);
    EXPECT_TRUE(found.found.empty());
    EXPECT_EQ(found.notes, std::vector<std::string>{
                               "all ratings are equal, so that no numbers can be found: the defaults are used"});
}

TEST(FindOptions, TooLittleMemoryLeavesTheDefaults) {
    Environment environment;
    TrainOptions options = searching(Feedback::Implicit);
    options.search.memory = 1000;
    const FoundOptions found = find(plays(environment, 200, 200, 2), options, environment);
    EXPECT_TRUE(found.points.empty());
    EXPECT_EQ(found.notes, std::vector<std::string>{"too little memory for a search: the defaults are used"});
}

TEST(FindOptions, EndsWithTheTime) {
    Environment environment;
    const Dataset dataset = ratings(environment, 0.5);
    TrainOptions options = searching(Feedback::Explicit);
    options.search.seconds = 1e-9;
    const FoundOptions found = find(dataset, options, environment);
    EXPECT_TRUE(found.points.empty());
    EXPECT_EQ(found.options.factors, 64);
    EXPECT_EQ(found.options.rating_factors_or_default(), 64);
    EXPECT_EQ(found.options.als.regularization, AlsOptions{}.regularization);
    EXPECT_EQ(found.notes, std::vector<std::string>{"the time for the search ended before all numbers were found"});
}

TEST(FindOptions, CanBeCancelled) {
    const Dataset dataset = [] {
        Environment environment;
        return ratings(environment, 0.5);
    }();
    Environment environment;
    int calls = 0;
    environment.interrupted = [&] { return ++calls > 50; };
    environment.checkpoint = [] { throw std::runtime_error("cancelled"); };
    EXPECT_THROW(find(dataset, searching(Feedback::Explicit), environment), std::runtime_error);
}

TEST(MostFactors, IsBoundedByDataCostAndMemory) {
    const TrainOptions options = searching(Feedback::Implicit);
    const auto most = [&](std::uint64_t users, std::uint64_t items, std::uint64_t cells) {
        return most_factors(users, items, cells, options, 2);
    };
    EXPECT_EQ(most(100000, 10000, 1000000), 512);
    EXPECT_EQ(most(10000, 1024, 1000000), 512);
    EXPECT_EQ(most(1023, 10000, 100000), 256);
    EXPECT_EQ(most(50, 50, 1000), 64);
    EXPECT_LT(most(1000000, 100000, 100000000), 512);
    EXPECT_EQ(most(100000000, 1000000, 1000000000), 64);
    TrainOptions limited = options;
    TrainOptions more = options;
    more.factors = 128;
    more.test_fraction = 0.1;
    limited.search.memory = training_memory(100000, 10000, 1000000, 0, more, 2);
    EXPECT_EQ(most_factors(100000, 10000, 1000000, limited, 2), 128);
}

}  // namespace
}  // namespace mf
