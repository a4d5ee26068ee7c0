// A distributed training run: packed once, then step by step, each in a transaction of its own.
//
// What stops a run, a cancel or a server that is gone, leaves it as it was after the last step. The next run of the
// same model with the same arguments goes on there, and reaches the same factors; one with others begins anew.
#pragma once

#include <functional>
#include <optional>

#include "pg/models/model_rows.hpp"
#include "pg/training/training.hpp"

namespace mf::pg {

/// Runs a function in a transaction of its own, with a snapshot.
using InTransaction = std::function<void(const std::function<void()>&)>;

/// Checked arguments, and the version whose factors a run begins with.
struct JobArguments {
    TrainArguments training;
    std::optional<ModelVersion> start_from;
};

/// Gives them, in a transaction.
using GiveArguments = std::function<JobArguments()>;

/// The whole run; store(outcome) is called in the last transaction. For a worker that holds the model's Training lock.
/// Throws feature_not_supported unless the arguments ask for a distributed run that can be had.
void train_distributed(const Catalog& catalog, const GiveArguments& arguments, const InTransaction& in_transaction,
                       const std::function<void(const TrainingOutcome&)>& store);

}  // namespace mf::pg
