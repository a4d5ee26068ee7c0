// The parameters and metrics of a version ↔ jsonb.
#pragma once

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

}  // namespace mf::pg
