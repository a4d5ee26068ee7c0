// A user's rows in the source as the current snapshot sees them.
#pragma once

#include "pg/serving_model.hpp"

namespace mf::pg {

struct History {
    std::vector<HistoryEntry> entries;  ///< items the model knows, ascending, duplicates merged
    std::vector<std::uint32_t> seen;    ///< the same items; also those whose value cannot be used
    std::uint64_t digest = 0;           ///< HistoryDigest over all items, known to the model or not
};

/// Reads through a kept plan with the rights of the model's owner, in a context that allows no lasting side effects.
/// Rows are merged by the model's rule ('error' counts as the default rule of the feedback here: serving does not fail
/// on a duplicate that appeared after training). Throws undefined_table, undefined_column or datatype_mismatch with a
/// hint if the source is no longer what the model was trained on.
History read_history(ServingModel& model, const Id& user);

}  // namespace mf::pg
