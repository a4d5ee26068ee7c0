// Training again with the arguments of a version, from its factors.
#pragma once

#include "pg/models/model_rows.hpp"
#include "pg/training/train_arguments.hpp"

namespace mf::pg {

/// The arguments that the version was trained with. Throws undefined_table if its source was dropped, and what
/// check_train_arguments throws if the source has changed.
TrainArguments retrain_arguments(const std::string& model, const ModelVersion& version);

/// Item factors of the version for the items of the dataset, read under the active snapshot. Nothing if it does not
/// know the items of at least half of the interactions: then a start from it would save little.
std::optional<WarmStart> read_warm_start(const Catalog& catalog, const ModelVersion& version, const Dataset& dataset,
                                         const TrainOptions& options);

/// The options for a warm start: a third of the iterations, rounded up.
TrainOptions warm_options(TrainOptions options);

}  // namespace mf::pg
