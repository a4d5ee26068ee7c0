// Whether a new version is good enough to become live.
#pragma once

#include "core/data/interactions.hpp"
#include "core/pipeline/train.hpp"
#include "pg/training/train_arguments.hpp"

namespace mf::pg {

/// Whether the terms of a training run are met.
struct Verdict {
    std::optional<LiveFigures> live;  ///< nothing if there is no version to compare with
    std::string objection;            ///< why not to publish, as a clause; empty: the terms are met
};

/// Measures the live version on the rows that the training run has held out of `dataset`, as the version serves now,
/// and compares what the new one has reached. Locks the model's publication: the live version stays the same until the
/// end of the transaction. The terms are met if there is no live version, or one whose ids are of another kind, and by
/// figures that the live version does not have. O(rows of the dataset · k²) at worst, on all threads.
Verdict compare_with_live(const Catalog& catalog, const TrainArguments& arguments, const Dataset& dataset,
                          const TrainSummary& trained, Environment& environment);

}  // namespace mf::pg
