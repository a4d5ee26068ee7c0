// The argument "options" of a training run: jsonb → options of the core, and those that only PostgreSQL's side knows.
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "core/training/options.hpp"
#include "pg/wall/guard.hpp"

namespace mf::pg {

/// How much better or worse than the live version a new one has to be to become live: its figure on held-out rows
/// divided by that of the live version. NaN: no matter.
struct PublicationTerms {
    double least_ndcg = std::numeric_limits<double>::quiet_NaN();
    double most_rmse = std::numeric_limits<double>::quiet_NaN();
};

/// A span of time in the options: an interval as text, or a number in the unit of the time column.
using TimeSpan = std::variant<double, std::string>;

/// Options that are none of the core, as they were given.
struct RunOptions {
    std::optional<std::string> time_column;
    std::optional<TimeSpan> half_life;
    std::optional<TimeSpan> popular_half_life;
    std::optional<std::string> item_features;
    std::optional<std::string> user_features;
    std::optional<std::string> negative;
    std::optional<std::string> engine;
    std::optional<std::string> exchange;
    std::optional<double> buckets;
    bool publish = true;
    std::optional<PublicationTerms> publish_if;
    bool store_users = true;
};

/// A number that a function takes in its options beside those of a training run.
struct FurtherNumber {
    const char* name;
    double* value;
};

/// Applies every key of an options argument to `options` or `run`, and `further` numbers to what they name. Throws
/// InvalidArgument or invalid_parameter_value for JSON that is no object, an unknown key and a value of another type.
void apply_options(Jsonb* json, TrainOptions& options, RunOptions& run, std::span<const FurtherNumber> further = {});

}  // namespace mf::pg
