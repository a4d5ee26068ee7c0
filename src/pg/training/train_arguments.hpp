// The arguments of mf_train, checked.
#pragma once

#include "core/distributed/schedule.hpp"
#include "core/training/options.hpp"
#include "pg/features/feature_relation.hpp"
#include "pg/models/parameters.hpp"
#include "pg/sql/source.hpp"
#include "pg/training/run_options.hpp"

namespace mf::pg {

/// How many arguments mf_train has.
constexpr int kTrainArguments = 13;

/// mf_train's arguments as they came; null pointers are NULLs, the rest of the defaults is in the SQL declaration.
struct RawTrainArguments {
    Oid source;
    const char* model;
    const char* user_column;
    const char* item_column;
    const char* rating_column;
    const char* feedback;
    const char* algorithm;
    bool factors_null;
    std::int32_t factors;
    bool iterations_null;
    std::int32_t iterations;
    bool regularization_null;
    double regularization;
    double test_fraction;
    std::int64_t seed;
    Jsonb* options;
    const char* options_text;
    /// For a training run that repeats another one: nothing is searched, and what that one found is taken.
    bool repeats;
    Jsonb* found;
    const char* found_text;
    Oid item_features;  ///< with repeats: the relation, whatever its name is now; InvalidOid: none
    Oid user_features;
    const char* tenant_column;  ///< of the source; a null pointer: all rows are for one model
    const char* tenant;         ///< the value of that column; a null pointer: not known yet
};

/// `inserted` arguments of another function stand between the source and the model.
RawTrainArguments read_train_arguments_unsafe(FunctionCallInfo fcinfo, int inserted = 0);

struct TrainArguments {
    std::string model;
    bool model_is_given;  ///< not named after the source
    std::string options_json;
    std::string found_json;  ///< what an earlier training run found; empty: nothing
    Source source;
    std::optional<FeatureRelation> item_features;
    std::optional<FeatureRelation> user_features;
    TrainOptions options;
    bool publish = true;  ///< the version becomes live
    std::optional<PublicationTerms> publish_if;
    bool store_users = true;  ///< rows of users are stored
    bool is_distributed = false;
    Exchange exchange = Exchange::Steps;  ///< of a distributed run
    std::uint32_t buckets = 0;            ///< of a distributed run; 0: by the number of rows
};

/// Everything that can be found wrong before the source is read. Throws with SQLSTATE, value and hint. `further` are
/// numbers in the options that are for the calling function.
TrainArguments check_train_arguments(const RawTrainArguments& raw, std::span<const FurtherNumber> further = {});

}  // namespace mf::pg
