// Source → Dataset.
#pragma once

#include "core/interactions.hpp"
#include "pg/source.hpp"

namespace mf::pg {

/// Reads the whole source once with the caller's rights. Rows with a NULL user, item or rating are skipped and counted
/// in one NOTICE. Throws numeric_value_out_of_range for a rating that is not finite or, for implicit feedback,
/// negative; MemoryLimitExceeded as soon as what was read needs more than mf_ext.max_memory to be trained; InvalidData
/// if nothing is left.
Dataset read_interactions(const Source& source, const TrainOptions& options, Environment& environment);

}  // namespace mf::pg
