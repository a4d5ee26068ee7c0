// A user's rows in the source as the current snapshot sees them.
#pragma once

#include "pg/cache/serving_model.hpp"
#include "pg/models/model_source.hpp"

namespace mf::pg {

struct History {
    std::vector<HistoryEntry> entries;  ///< items the model knows, ascending, duplicates merged
    std::vector<std::uint32_t> seen;    ///< the same items; also those whose value cannot be used
    std::uint64_t digest = 0;           ///< HistoryDigest over all items, known to the model or not
};

/// One row, before duplicates are merged. Items unknown to the model have SortedIds::kUnknown as their index; their
/// hash tells them apart.
struct HistoryRow {
    std::uint64_t item_hash;
    std::uint32_t item;
    float value;
    double time;
};

/// Looks up the items of a batch: the index of each in the model, or SortedIds::kUnknown, and what HistoryRow has as
/// its hash.
void find_items(const SortedIds& items, const RowBatch& batch, std::uint32_t* indices, std::uint64_t* hashes);

/// All rows of one user, which are reordered, as a history. Calls nothing of PostgreSQL: any thread may.
History merge_history(std::span<HistoryRow> rows, const ServingModel& model);

/// Throws MemoryLimitExceeded if rows of histories take more than mf_ext.max_memory.
void check_history_memory(const ServingModel& model, std::size_t bytes);

/// Reads through a kept plan: the rights of the model's owner are checked, code in the source runs as the caller.
/// Rows are merged by the model's rule ('error' counts as the default rule of the feedback here: serving does not fail
/// on a duplicate that appeared after training). Throws as current_source().
History read_history(ServingModel& model, const Id& user);

}  // namespace mf::pg
