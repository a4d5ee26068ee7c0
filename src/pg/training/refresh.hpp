// Items between two training runs: those that a version does not know yet and those whose interactions have changed are
// solved against its users, and take their place in the same version.
#pragma once

#include "pg/models/model_rows.hpp"
#include "pg/sql/source.hpp"

namespace mf::pg {

/// What a refresh has done.
struct RefreshOutcome {
    std::int32_t version = 0;
    std::uint64_t new_items = 0;
    std::uint64_t updated_items = 0;
    std::uint64_t removed_items = 0;
    double seconds = 0;

    std::string text() const;
};

/// The source that a refresh of a version reads. Throws as current_source().
Source source_to_refresh(const std::string& model, const ModelVersion& version);

/// Refreshes the items of the live version of a model that the caller manages, with the rights of its owner on the
/// source. Items whose rows are fewer than min_interactions are not added. Holds the model's Publication lock until the
/// transaction ends; a training run goes on meanwhile, and its version will not have what was refreshed. Throws
/// undefined_object, insufficient_privilege, data_exception if no item would be left, what source_to_refresh() and
/// RowBatch::add() throw, NumericalFailure, MemoryLimitExceeded.
RefreshOutcome refresh_items(const Catalog& catalog, const std::string& model, std::uint32_t min_interactions);

}  // namespace mf::pg
