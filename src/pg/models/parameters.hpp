// The parameters and metrics of a version, and options ↔ jsonb.
#pragma once

#include <variant>

#include "core/pipeline/search_space.hpp"
#include "core/pipeline/train.hpp"
#include "core/training/model.hpp"
#include "core/training/options.hpp"
#include "core/training/trainers.hpp"
#include "pg/models/factor_rows.hpp"
#include "pg/wall/guard.hpp"

namespace mf::pg {

/// What serving needs of a version's parameters.
struct StoredParameters {
    FactorShape shape;
    Duplicates duplicates = Duplicates::Mean;
    const RatingTrainer* rating_trainer = nullptr;  ///< null for implicit feedback
    RatingScale scale;                              ///< likewise for explicit feedback only
    NamedNumbers rating;
    const RankingTrainer* ranking_trainer = nullptr;
    NamedNumbers ranking;
    bool dislikes = false;     ///< negative values are dislikes
    bool stores_users = true;  ///< false: every user is folded in
    Recency recency;
};

/// The name of a rule, as in options.
const char* duplicates_word(Duplicates rule);

/// JSON text of the arguments of a training run (options as given and as they were resolved), of what was found from
/// the data (found_json, empty if nothing was), of the search for it and of what each iteration reached; numbers keep
/// all their bits. stores_users: whether the version has rows of users.
std::string write_parameters(const TrainOptions& options, const std::string& options_json,
                             const std::string& found_json, const TrainResult& trained, bool stores_users);

/// The live version's figures on the rows that were held out of a training run.
struct LiveFigures {
    std::int32_t version;
    double test_ndcg;
    double test_rmse;
};

/// JSON text of the metrics, but for those of each iteration; what was not measured is null. live: null if the version
/// was not compared.
std::string write_metrics(const TrainSummary& summary, const LiveFigures* live);

/// Inverse of write_parameters for what serving needs; algorithm: the name of the version's trainer. Throws
/// data_corrupted if a field is missing or has no valid value; `label` is how the message names the version.
StoredParameters read_parameters(Jsonb* parameters, Feedback feedback, std::string_view algorithm,
                                 const std::string& label);

/// The arguments of the training run as they were resolved, and its options as they were given.
struct StoredArguments {
    int factors = 0;
    int iterations = 0;
    double regularization = 0;
    double test_fraction = 0;
    std::int64_t seed = 0;
    Jsonb* options = nullptr;  ///< in the current memory context, as `found`
    Jsonb* found = nullptr;    ///< what was found from the data; null if nothing was
};

/// Inverse of write_parameters for training again. Throws as read_parameters().
StoredArguments read_arguments(Jsonb* parameters, const std::string& label);

/// JSON text of settings: a number or a word for each name.
std::string write_settings(const Settings& settings);

/// How much better or worse than the live version a new one has to be to become live: its figure on held-out rows
/// divided by that of the live version. NaN: no matter.
struct PublicationTerms {
    double least_ndcg = std::numeric_limits<double>::quiet_NaN();
    double most_rmse = std::numeric_limits<double>::quiet_NaN();
};

/// A span of time in the options: an interval as text, or a number in the unit of the time column.
using TimeSpan = std::variant<double, std::string>;

/// Options that name a column, a relation or an engine, and what is for that.
struct NamedRelations {
    std::optional<std::string> time_column;
    std::optional<TimeSpan> half_life;
    std::optional<TimeSpan> popular_half_life;
    std::optional<std::string> item_features;
    std::optional<std::string> user_features;
    std::optional<std::string> engine;
    std::optional<std::string> exchange;
    std::optional<double> buckets;
    bool publish = true;
    std::optional<PublicationTerms> publish_if;
    bool store_users = true;
    std::optional<std::string> negative;
};

/// Applies every key of an options argument. Throws InvalidArgument or, for JSON that is no object of numbers and
/// words, invalid_parameter_value. Names of columns and relations are set apart, and `further` numbers, which are not
/// options of the training run.
struct FurtherNumber {
    const char* name;
    double* value;
};
void apply_options(Jsonb* json, TrainOptions* options, NamedRelations* named,
                   std::span<const FurtherNumber> further = {});

}  // namespace mf::pg
