// Source → blocks of a distributed training run.
//
// The source is read once to see how many rows it has and which ranges of ids have about as many of them, and once more
// to pack each range of users; in several passes where not all of them fit into memory.
#pragma once

#include <functional>
#include <string>

#include "core/distributed/id_list.hpp"
#include "pg/training/train_arguments.hpp"
#include "pg/wall/progress.hpp"

namespace mf::pg {

/// Ranges of users and of items, and what was read to find them.
struct SourceRanges {
    std::string users;  ///< IdRanges
    std::string items;
    std::uint64_t rows = 0;  ///< without NULLs
};

/// Reads the whole source with the caller's rights, as read_interactions() does. buckets: of each side at most; 0: by
/// the number of rows. Does not depend on the order of the rows. Throws as RowBatch::add() for rows that no model can
/// be trained on, and data_exception if there are none.
SourceRanges find_ranges(const Source& source, const TrainOptions& options, std::uint32_t buckets, Progress& progress);

/// Takes a packed bucket of users: pack_users().
using PackedSink = std::function<void(std::uint32_t bucket, std::string block)>;

/// Reads and packs all buckets of users. Throws MemoryLimitExceeded if one of them needs more than mf_ext.max_memory.
void pack_source(const Source& source, const TrainOptions& options, const SourceRanges& ranges,
                 Environment& environment, Progress& progress, const PackedSink& sink);

}  // namespace mf::pg
