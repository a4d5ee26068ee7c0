#include "pg/distributed/collected_parts.hpp"

namespace mf::pg {

MemoryContext aggregate_context_unsafe(FunctionCallInfo fcinfo) {
    MemoryContext context;
    if (AggCheckCallContext(fcinfo, &context) == 0)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("this function belongs to an aggregate")));
    return context;
}

CollectedParts* collected_unsafe(FunctionCallInfo fcinfo) {
    MemoryContext context = aggregate_context_unsafe(fcinfo);
    if (!PG_ARGISNULL(0)) return reinterpret_cast<CollectedParts*>(PG_GETARG_POINTER(0));
    auto* group = static_cast<CollectedParts*>(MemoryContextAllocZero(context, sizeof(CollectedParts)));
    group->capacity = 8;
    group->parts = static_cast<CollectedPart*>(MemoryContextAlloc(context, sizeof(CollectedPart) * 8));
    return group;
}

void collect_unsafe(FunctionCallInfo fcinfo, CollectedParts* group, const CollectedPart& part) {
    MemoryContext caller = MemoryContextSwitchTo(aggregate_context_unsafe(fcinfo));
    if (group->count == group->capacity) {
        group->capacity *= 2;
        group->parts = static_cast<CollectedPart*>(
            repalloc(group->parts, sizeof(CollectedPart) * static_cast<Size>(group->capacity)));
    }
    group->parts[group->count] = part;
    group->parts[group->count++].bytes = keep_unsafe(part.bytes);
    MemoryContextSwitchTo(caller);
}

}  // namespace mf::pg
