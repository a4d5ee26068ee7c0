#include "core/training/options.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.hpp"

namespace mf {
namespace {

TrainOptions options_for(Feedback feedback) {
    TrainOptions options;
    options.feedback = feedback;
    return options;
}

bool is_resolved_elsewhere(const std::string& name) {
    return std::ranges::find(kResolvedElsewhere, name) != std::end(kResolvedElsewhere);
}

/// What validate() says; empty if nothing.
std::string complaint(const TrainOptions& options) {
    try {
        options.validate();
    } catch (const InvalidArgument& error) {
        return error.what();
    }
    return {};
}

struct Refusal {
    std::string message;
    std::string hint;
    std::string detail;
};

template <class Value>
Refusal refusal(Feedback feedback, const char* name, Value value) {
    TrainOptions options = options_for(feedback);
    try {
        set_option(options, name, value);
    } catch (const InvalidArgument& error) {
        return {error.what(), error.hint(), error.detail()};
    }
    return {};
}

TEST(TrainOptions, DefaultsAreValid) {
    EXPECT_EQ(complaint(options_for(Feedback::Explicit)), "");
    EXPECT_EQ(complaint(options_for(Feedback::Implicit)), "");
}

TEST(TrainOptions, DuplicatesDefaultDependsOnFeedback) {
    TrainOptions options = options_for(Feedback::Explicit);
    EXPECT_EQ(options.duplicates_rule(), Duplicates::Mean);
    options.feedback = Feedback::Implicit;
    EXPECT_EQ(options.duplicates_rule(), Duplicates::Sum);
    options.duplicates = Duplicates::Last;
    EXPECT_EQ(options.duplicates_rule(), Duplicates::Last);
}

TEST(TrainOptions, MessagesNameFieldValueAndBounds) {
    TrainOptions options;
    options.test_fraction = 1.5;
    EXPECT_EQ(complaint(options), "test_fraction must be between 0 and 0.9, not 1.5");
    options = {};
    options.factors = 0;
    EXPECT_EQ(complaint(options), "factors must be between 1 and 1024, not 0");
    options = {};
    options.als.iterations = 1001;
    EXPECT_EQ(complaint(options), "iterations must be between 1 and 1000, not 1001");
    options = {};
    options.als.regularization = 0;
    EXPECT_EQ(complaint(options), "regularization must be between 1e-09 and 1000000, not 0");
    options = {};
    options.als.bias_regularization = -0.5;
    EXPECT_EQ(complaint(options), "bias_regularization must be between 0 and 1000000, not -0.5");
    options = {};
    options.ials.regularization = std::numeric_limits<double>::quiet_NaN();
    EXPECT_EQ(complaint(options), "ranking_regularization must be between 1e-09 and 1000000, not NaN");
    options = {};
    options.ials.unobserved_weight = std::numeric_limits<double>::infinity();
    EXPECT_EQ(complaint(options), "unobserved_weight must be between 1e-09 and 1000000, not Infinity");
    options = {};
    options.ials.weight_slope = -std::numeric_limits<double>::infinity();
    EXPECT_EQ(complaint(options), "weight_slope must be between 0 and 1000000, not -Infinity");
}

TEST(TrainOptions, ValueJustOutsideIsToldFromItsBound) {
    TrainOptions options;
    options.test_fraction = std::nextafter(0.9, 1.0);
    EXPECT_EQ(complaint(options), "test_fraction must be between 0 and 0.9, not 0.90000000000000013");
}

TEST(TrainOptions, BoundsAreInclusive) {
    struct Case {
        const char* name;
        double minimum, maximum;
        std::function<void(TrainOptions&, double)> set;
    };
    const Case explicit_cases[] = {
        {"test_fraction", 0, 0.9, [](TrainOptions& o, double v) { o.test_fraction = v; }},
        {"factors", 1, 1024, [](TrainOptions& o, double v) { o.factors = static_cast<int>(v); }},
        {"factors", 1, 1024, [](TrainOptions& o, double v) { o.factors = static_cast<int>(v); }},
        {"iterations", 1, 1000, [](TrainOptions& o, double v) { o.als.iterations = static_cast<int>(v); }},
        {"ranking_iterations", 1, 1000, [](TrainOptions& o, double v) { o.ials.iterations = static_cast<int>(v); }},
        {"regularization", 1e-9, 1e6, [](TrainOptions& o, double v) { o.als.regularization = v; }},
        {"ranking_regularization", 1e-9, 1e6, [](TrainOptions& o, double v) { o.ials.regularization = v; }},
        {"regularization_exponent", 0, 2, [](TrainOptions& o, double v) { o.als.regularization_exponent = v; }},
        {"ranking_regularization_exponent", 0, 2,
         [](TrainOptions& o, double v) { o.ials.regularization_exponent = v; }},
        {"bias_regularization", 0, 1e6, [](TrainOptions& o, double v) { o.als.bias_regularization = v; }},
        {"unobserved_weight", 1e-9, 1e6, [](TrainOptions& o, double v) { o.ials.unobserved_weight = v; }},
        {"weight_slope", 0, 1e6, [](TrainOptions& o, double v) { o.ials.weight_slope = v; }},
    };
    for (const Case& one : explicit_cases) {
        TrainOptions options;
        one.set(options, one.minimum);
        EXPECT_EQ(complaint(options), "") << one.name;
        one.set(options, one.maximum);
        EXPECT_EQ(complaint(options), "") << one.name;
        one.set(options, one.minimum - 1);
        EXPECT_EQ(complaint(options).find(std::string(one.name) + " must be between "), 0u) << one.name;
        one.set(options, one.maximum + 1);
        EXPECT_EQ(complaint(options).find(std::string(one.name) + " must be between "), 0u) << one.name;
    }
}

TEST(TrainOptions, ImplicitFeedbackLooksAtRankingFieldsUnderTheirPlainNames) {
    TrainOptions options = options_for(Feedback::Implicit);
    options.als.iterations = -1;  // not used
    EXPECT_EQ(complaint(options), "");
    options.ials.iterations = 0;
    EXPECT_EQ(complaint(options), "iterations must be between 1 and 1000, not 0");
    options.ials = {};
    options.ials.regularization = -1;
    EXPECT_EQ(complaint(options), "regularization must be between 1e-09 and 1000000, not -1");
    options.ials = {};
    options.ials.regularization_exponent = 3;
    EXPECT_EQ(complaint(options), "regularization_exponent must be between 0 and 2, not 3");
}

TEST(OptionNames, AreCompleteAndAscending) {
    EXPECT_EQ(option_names(options_for(Feedback::Explicit)),
              (std::vector<std::string>{"bias_regularization",
                                        "buckets",
                                        "duplicates",
                                        "engine",
                                        "exchange",
                                        "factors",
                                        "feature_regularization",
                                        "half_life",
                                        "item_features",
                                        "iterations",
                                        "negative",
                                        "popular_half_life",
                                        "publish",
                                        "publish_if",
                                        "ranking_feature_regularization",
                                        "ranking_iterations",
                                        "ranking_regularization",
                                        "ranking_regularization_exponent",
                                        "rating_factors",
                                        "regularization",
                                        "regularization_exponent",
                                        "search",
                                        "solver",
                                        "storage",
                                        "store_users",
                                        "time_column",
                                        "unobserved_weight",
                                        "user_features",
                                        "weight_slope"}));
    EXPECT_EQ(option_names(options_for(Feedback::Implicit)), (std::vector<std::string>{"buckets",
                                                                                       "duplicates",
                                                                                       "engine",
                                                                                       "exchange",
                                                                                       "factors",
                                                                                       "feature_regularization",
                                                                                       "half_life",
                                                                                       "item_features",
                                                                                       "iterations",
                                                                                       "negative",
                                                                                       "popular_half_life",
                                                                                       "publish",
                                                                                       "publish_if",
                                                                                       "regularization",
                                                                                       "regularization_exponent",
                                                                                       "search",
                                                                                       "solver",
                                                                                       "storage",
                                                                                       "store_users",
                                                                                       "time_column",
                                                                                       "unobserved_weight",
                                                                                       "user_features",
                                                                                       "weight_slope"}));
}

TEST(SetOption, ArgumentsOfTheirOwnAreOptionsToo) {
    TrainOptions options = options_for(Feedback::Explicit);
    set_option(options, "factors", 5);
    set_option(options, "iterations", 3);
    set_option(options, "regularization", 0.5);
    EXPECT_EQ(options.factors, 5);
    EXPECT_EQ(options.factors, 5);
    EXPECT_EQ(options.als.iterations, 3);
    EXPECT_EQ(options.als.regularization, 0.5);
    EXPECT_EQ(options.ials.iterations, IalsOptions{}.iterations);
    EXPECT_THROW(set_option(options, "factors", 5.5), InvalidArgument);
    options = options_for(Feedback::Implicit);
    set_option(options, "iterations", 3);
    set_option(options, "regularization", 0.25);
    EXPECT_EQ(options.ials.iterations, 3);
    EXPECT_EQ(options.ials.regularization, 0.25);
    EXPECT_EQ(options.als.iterations, AlsOptions{}.iterations);
}

TEST(OptionScope, SaysWhichFactorsAnOptionIsFor) {
    EXPECT_EQ(option_scope(options_for(Feedback::Explicit), "regularization"), OptionScope::Rating);
    EXPECT_EQ(option_scope(options_for(Feedback::Implicit), "regularization"), OptionScope::Ranking);
    EXPECT_EQ(option_scope(options_for(Feedback::Explicit), "ranking_regularization"), OptionScope::Ranking);
    EXPECT_EQ(option_scope(options_for(Feedback::Explicit), "factors"), OptionScope::Both);
    EXPECT_EQ(option_scope(options_for(Feedback::Implicit), "factors"), OptionScope::Ranking);
    EXPECT_EQ(option_scope(options_for(Feedback::Implicit), "solver"), OptionScope::Ranking);
    EXPECT_EQ(option_scope(options_for(Feedback::Explicit), "duplicates"), OptionScope::Data);
    EXPECT_EQ(option_scope(options_for(Feedback::Explicit), "time_column"), OptionScope::Data);
    EXPECT_THROW(option_scope(options_for(Feedback::Implicit), "ranking_regularization"), InvalidArgument);
}

// Whatever can be set can be read, and whole options are those that refuse a half.
TEST(OptionValue, IsWhatWasSet) {
    for (const Feedback feedback : {Feedback::Explicit, Feedback::Implicit}) {
        for (const std::string& name : option_names(options_for(feedback))) {
            if (name == "duplicates" || name == "solver" || name == "storage" || is_resolved_elsewhere(name)) {
                EXPECT_FALSE(option_is_whole(options_for(feedback), name));
                EXPECT_THROW(option_value(options_for(feedback), name), InvalidArgument);
                continue;
            }
            TrainOptions options = options_for(feedback);
            set_option(options, name, 3);
            EXPECT_EQ(option_value(options, name), 3) << name;
            if (option_is_whole(options_for(feedback), name)) {
                EXPECT_THROW(set_option(options, name, 0.5), InvalidArgument) << name;
            } else {
                set_option(options, name, 0.5);
                EXPECT_EQ(option_value(options, name), 0.5) << name;
            }
        }
        EXPECT_THROW(option_value(options_for(feedback), "nothing"), InvalidArgument);
    }
    EXPECT_EQ(option_value(options_for(Feedback::Explicit), "weight_slope"), 0.3);
    EXPECT_EQ(option_value(options_for(Feedback::Implicit), "weight_slope"), 1);
}

TEST(SetOption, ExplicitNamesReachTheirFields) {
    TrainOptions options = options_for(Feedback::Explicit);
    set_option(options, "regularization_exponent", 0.25);
    set_option(options, "bias_regularization", 0.5);
    set_option(options, "ranking_iterations", 7);
    set_option(options, "ranking_regularization", 0.125);
    set_option(options, "ranking_regularization_exponent", 0.75);
    set_option(options, "unobserved_weight", 0.0625);
    set_option(options, "weight_slope", 3);
    set_option(options, "duplicates", "last");
    EXPECT_EQ(options.als.regularization_exponent, 0.25);
    EXPECT_EQ(options.als.bias_regularization, 0.5);
    EXPECT_EQ(options.ials.iterations, 7);
    EXPECT_EQ(options.ials.regularization, 0.125);
    EXPECT_EQ(options.ials.regularization_exponent, 0.75);
    EXPECT_EQ(options.ials.unobserved_weight, 0.0625);
    EXPECT_EQ(options.ials.weight_slope, 3);
    EXPECT_EQ(options.duplicates, Duplicates::Last);
    // Nothing else was touched.
    EXPECT_EQ(options.als.regularization, AlsOptions{}.regularization);
    EXPECT_EQ(options.als.iterations, AlsOptions{}.iterations);
}

TEST(SetOption, ImplicitNamesReachTheirFields) {
    TrainOptions options = options_for(Feedback::Implicit);
    set_option(options, "regularization_exponent", 0.25);
    set_option(options, "unobserved_weight", 0.0625);
    set_option(options, "weight_slope", 3);
    EXPECT_EQ(options.ials.regularization_exponent, 0.25);
    EXPECT_EQ(options.ials.unobserved_weight, 0.0625);
    EXPECT_EQ(options.ials.weight_slope, 3);
    EXPECT_EQ(options.als.regularization_exponent, AlsOptions{}.regularization_exponent);
}

TEST(SetOption, DuplicatesTakesFourWords) {
    TrainOptions options;
    const std::pair<const char*, Duplicates> words[] = {
        {"mean", Duplicates::Mean}, {"sum", Duplicates::Sum}, {"last", Duplicates::Last}, {"error", Duplicates::Error}};
    for (const auto& [word, rule] : words) {
        set_option(options, "duplicates", word);
        EXPECT_EQ(options.duplicates, rule);
    }
    const Refusal refused = refusal(Feedback::Explicit, "duplicates", "Mean");
    EXPECT_EQ(refused.message, "option \"duplicates\" does not accept the value \"Mean\"");
    EXPECT_EQ(refused.hint, "The values are \"mean\", \"sum\", \"last\" and \"error\".");
}

TEST(SetOption, SolverTakesTwoWords) {
    for (const Feedback feedback : {Feedback::Explicit, Feedback::Implicit}) {
        TrainOptions options = options_for(feedback);
        set_option(options, "solver", "cholesky");
        EXPECT_EQ(options.solver, Solver::Cholesky);
        set_option(options, "solver", "conjugate_gradient");
        EXPECT_EQ(options.solver, Solver::ConjugateGradient);
    }
    const Refusal refused = refusal(Feedback::Implicit, "solver", "cg");
    EXPECT_EQ(refused.message, "option \"solver\" does not accept the value \"cg\"");
    EXPECT_EQ(refused.hint, "The values are \"cholesky\" and \"conjugate_gradient\".");
    EXPECT_EQ(refusal(Feedback::Implicit, "solver", 1.0).message,
              "option \"solver\" must be a string, not the number 1");
}

TEST(SetOption, StorageTakesTwoWords) {
    TrainOptions options = options_for(Feedback::Explicit);
    set_option(options, "storage", "half");
    EXPECT_EQ(options.storage, Storage::Half);
    set_option(options, "storage", "single");
    EXPECT_EQ(options.storage, Storage::Single);
    EXPECT_EQ(refusal(Feedback::Implicit, "storage", "double").hint, "The values are \"single\" and \"half\".");
}

TEST(SetOption, EveryNameIsUnderstood) {
    for (const Feedback feedback : {Feedback::Explicit, Feedback::Implicit}) {
        for (const std::string& name : option_names(options_for(feedback))) {
            TrainOptions options = options_for(feedback);
            if (name == "duplicates") {
                EXPECT_NO_THROW(set_option(options, name, "sum"));
            } else if (name == "solver") {
                EXPECT_NO_THROW(set_option(options, name, "cholesky"));
            } else if (name == "storage") {
                EXPECT_NO_THROW(set_option(options, name, "half"));
            } else if (!is_resolved_elsewhere(name)) {
                EXPECT_NO_THROW(set_option(options, name, 1.0)) << name;
            }
        }
    }
}

TEST(SetOption, UnknownNamesListTheKnownOnes) {
    const Refusal number = refusal(Feedback::Implicit, "colour", 3.0);
    EXPECT_EQ(number.message, "unknown option \"colour\"");
    std::string known;
    for (const std::string& name : option_names(options_for(Feedback::Implicit)))
        known += (known.empty() ? "" : ", ") + name;
    EXPECT_EQ(number.hint, "The options for implicit feedback are " + known + ".");
    const Refusal word = refusal(Feedback::Explicit, "duplicate", "mean");
    EXPECT_EQ(word.message, "unknown option \"duplicate\"");
    EXPECT_EQ(word.hint, "Perhaps you meant \"duplicates\".");
    EXPECT_NE(word.detail.find("for explicit feedback are bias_regularization, buckets, duplicates, "),
              std::string::npos);
    EXPECT_EQ(refusal(Feedback::Implicit, "regularisation", 1.0).hint, "Perhaps you meant \"regularization\".");
    EXPECT_EQ(refusal(Feedback::Implicit, "Faktors", 1.0).hint, "Perhaps you meant \"factors\".");
    EXPECT_EQ(refusal(Feedback::Implicit, std::string(100000, 'x').c_str(), 1.0).detail, "");
    const Refusal other = refusal(Feedback::Implicit, "ranking_iterations", 3.0);
    EXPECT_EQ(other.message, "option \"ranking_iterations\" is for explicit feedback only");
    EXPECT_EQ(other.hint, "Leave it out, or pass feedback => 'explicit'.");
    EXPECT_EQ(refusal(Feedback::Explicit, "", 1.0).message, "unknown option \"\"");
}

TEST(SetOption, TellsNumbersFromWords) {
    EXPECT_EQ(refusal(Feedback::Explicit, "duplicates", 2.5).message,
              "option \"duplicates\" must be a string, not the number 2.5");
    EXPECT_EQ(refusal(Feedback::Explicit, "time_column", 3.0).message,
              "option \"time_column\" must be a string, not the number 3");
    EXPECT_EQ(refusal(Feedback::Explicit, "weight_slope", "steep").message,
              "option \"weight_slope\" must be a number, not \"steep\"");
    EXPECT_EQ(refusal(Feedback::Explicit, "ranking_iterations", 2.5).message,
              "option \"ranking_iterations\" must be a whole number, not 2.5");
    EXPECT_EQ(refusal(Feedback::Explicit, "ranking_iterations", 3e9).message,
              "option \"ranking_iterations\" must be a whole number, not 3000000000");
    EXPECT_EQ(refusal(Feedback::Explicit, "ranking_iterations", std::numeric_limits<double>::quiet_NaN()).message,
              "option \"ranking_iterations\" must be a whole number, not NaN");
}

TEST(SetOption, TimeColumnAndSearchAreTheReadersBusiness) {
    TrainOptions options;
    EXPECT_THROW(set_option(options, "time_column", "rated_at"), std::logic_error);
    EXPECT_THROW(set_option(options, "search", "off"), std::logic_error);
}

TEST(SetOption, RatingFactorsAreAsManyAsRankingFactorsUnlessGiven) {
    TrainOptions options = options_for(Feedback::Explicit);
    set_option(options, "factors", 5);
    EXPECT_EQ(option_value(options, "rating_factors"), 5);
    set_option(options, "rating_factors", 7);
    EXPECT_EQ(options.factors, 5);
    EXPECT_EQ(options.rating_factors_or_default(), 7);
    options.rating_factors = 0;
    EXPECT_EQ(complaint(options), "rating_factors must be between 1 and 1024, not 0");
}

std::vector<std::string> open_names(const TrainOptions& options) {
    std::vector<std::string> names;
    for (const OpenOption& option : open_options(options)) names.push_back(option.name);
    return names;
}

TEST(OpenOptions, AreThoseThatWereNotGiven) {
    using Names = std::vector<std::string>;
    EXPECT_EQ(open_names(options_for(Feedback::Explicit)),
              (Names{"factors", "rating_factors", "regularization", "ranking_regularization", "unobserved_weight"}));
    TrainOptions implicit = options_for(Feedback::Implicit);
    EXPECT_EQ(open_names(implicit), (Names{"factors", "regularization", "unobserved_weight"}));
    set_option(implicit, "regularization", 0.5);  // the default, but given
    EXPECT_EQ(open_names(implicit), (Names{"factors", "unobserved_weight"}));
    set_option(implicit, "iterations", 3);
    EXPECT_EQ(open_names(implicit), (Names{"factors", "unobserved_weight"}));
    // Who gives a number of factors gives it for both kinds.
    TrainOptions both = options_for(Feedback::Explicit);
    set_option(both, "factors", 32);
    EXPECT_EQ(open_names(both), (Names{"regularization", "ranking_regularization", "unobserved_weight"}));
}

TEST(SetOption, RangesAreLeftToValidate) {
    TrainOptions options;
    set_option(options, "ranking_iterations", -5);
    EXPECT_EQ(complaint(options), "ranking_iterations must be between 1 and 1000, not -5");
}

}  // namespace
}  // namespace mf
