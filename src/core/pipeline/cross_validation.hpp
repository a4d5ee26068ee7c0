// How good the model of a training run would be on rows it has not seen: k-fold cross-validation.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/parallel.hpp"
#include "core/data/csr.hpp"
#include "core/data/features.hpp"
#include "core/data/split.hpp"
#include "core/evaluation/metrics.hpp"
#include "core/training/options.hpp"

namespace mf {

struct FoldResult {
    PredictionErrors predictions;  ///< nothing for implicit feedback
    ListMetrics lists;
};

/// Trains on the cells outside a fold and measures on those in it, exactly as if the source of the run had only
/// held the former, the search for what was not given included. The held-out fraction of the options, if any, is taken
/// from the cells that are trained on.
///
/// Every cell of the fold is predicted; where the user or the item has no other ratings, by mean and what bias is
/// known. Lists have k ≥ 1 items; a user without other ratings gets what the user's features let expect, or without any
/// the items with the most interactions. Relevant are the items of the user's cells in the fold, but for those without
/// other ratings and features, which no list can have. features: a row for each row, or each column, of the cells.
///
/// fold < folds, which is at least 2. Throws InvalidData if nothing is left to train on, else what train() throws.
/// Progress is that of the trainers. The same bits for any number of threads.
FoldResult validate_fold(const Csr& cells, const IdHashes& hashes, std::uint32_t fold, std::uint32_t folds,
                         const TrainOptions& options, std::size_t k, Environment& environment,
                         const KnownFeatures& features = {});

}  // namespace mf
