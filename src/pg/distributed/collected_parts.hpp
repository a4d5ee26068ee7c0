// What the aggregates of distributed training runs collect: for each group one datum of its own, such as the rows of a
// bucket, and parts with a number each, such as the ids of all other buckets. The parts lie in tables; kept are
// pointers to where, so that a group is small until it is worked on.
#pragma once

#include <cstdint>

#include "pg/distributed/block_data.hpp"

extern "C" {
#include "utils/datum.h"
}

namespace mf::pg {

struct CollectedPart {
    std::int32_t kind;
    std::int32_t number;
    Datum bytes;
};

/// The state of a group; plain memory of the aggregate's context, which frees it.
struct CollectedParts {
    Datum own;       ///< of the first row; 0: NULL
    Datum argument;  ///< likewise
    int count;
    int capacity;
    CollectedPart* parts;
};

/// A copy of a datum, or of the pointer to where it is stored out of line, in the current memory context.
inline Datum keep_unsafe(Datum datum) { return datumCopy(datum, false, -1); }

/// The memory context of the aggregate that calls; raises if none does.
MemoryContext aggregate_context_unsafe(FunctionCallInfo fcinfo);

/// The state of the group in the first argument, made if it is NULL. Raises outside an aggregate.
CollectedParts* collected_unsafe(FunctionCallInfo fcinfo);

/// Adds a part to a group.
void collect_unsafe(FunctionCallInfo fcinfo, CollectedParts* group, const CollectedPart& part);

}  // namespace mf::pg
