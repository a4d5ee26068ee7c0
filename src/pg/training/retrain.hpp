// Training again with the arguments of a version, from its factors.
#pragma once

#include "pg/models/model_rows.hpp"
#include "pg/training/train_arguments.hpp"

namespace mf::pg {

/// The arguments that the version was trained with. Throws undefined_table if its source was dropped, and what
/// check_train_arguments throws if the source has changed.
TrainArguments retrain_arguments(const std::string& model, const ModelVersion& version);

/// Item factors of the version for these items, read under the active snapshot. Nothing if it does not know the items
/// of at least half of the interactions, of which interactions[i] are with item i: then a start from it would save
/// little.
std::optional<WarmStart> read_warm_start(const Catalog& catalog, const ModelVersion& version, const IdTable& items,
                                         std::span<const std::uint32_t> interactions, const TrainOptions& options);

}  // namespace mf::pg
