// A training from its checked arguments to the published version: what mf_train and its kin share.
#pragma once

#include "pg/model_rows.hpp"
#include "pg/train_arguments.hpp"

namespace mf::pg {

/// What a training reports.
struct TrainingOutcome {
    std::int32_t version = 0;
    TrainSummary summary;
    double seconds = 0;
};

/// Locks the model, reads, trains, stores, publishes. All in the caller's transaction. Warns if histories cannot be read
/// through an index; one line at LOG when it is done. With a version to start from, its factors are where the training
/// begins, and it takes a third of the iterations.
TrainingOutcome run_training(const Catalog& catalog, const TrainArguments& arguments,
                             const ModelVersion* start_from = nullptr);

/// Adds the outcome as the row of a function that returns what mf_train returns.
void put_outcome(FunctionCallInfo fcinfo, const TrainArguments& arguments, const TrainingOutcome& outcome);

}  // namespace mf::pg
