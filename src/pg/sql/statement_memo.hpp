// What one call of a statement can leave for the next call of the same statement.
#pragma once

#include "pg/wall/guard.hpp"

namespace mf::pg {

/// Tells whether two calls see the same data as the same role: everything a snapshot and a role can differ in.
struct StatementKey {
    TransactionId xmin = InvalidTransactionId;
    TransactionId xmax = InvalidTransactionId;
    CommandId command = 0;
    std::uint64_t completed = 0;  ///< transactions completed in the server when the snapshot was taken
    TimestampTz statement = 0;
    Oid role = InvalidOid;

    bool operator==(const StatementKey&) const = default;
    static StatementKey current() {
        const Snapshot snapshot = GetActiveSnapshot();
        return {snapshot->xmin,
                snapshot->xmax,
                snapshot->curcid,
                snapshot->snapXactCompletionCount,
                GetCurrentStatementStartTimestamp(),
                GetUserId()};
    }
};

/// The T of this function call site, made at its first call and destroyed with the FmgrInfo's memory context.
template <class T>
T& call_site_state(FunctionCallInfo fcinfo) {
    FmgrInfo* info = fcinfo->flinfo;
    if (info->fn_extra == nullptr) {
        auto* callback = pg_call([info] {
            return static_cast<MemoryContextCallback*>(
                MemoryContextAllocZero(info->fn_mcxt, sizeof(MemoryContextCallback)));
        });
        auto state = std::make_unique<T>();
        callback->func = [](void* pointer) { delete static_cast<T*>(pointer); };
        callback->arg = state.get();
        MemoryContextRegisterResetCallback(info->fn_mcxt, callback);
        info->fn_extra = state.release();
    }
    return *static_cast<T*>(info->fn_extra);
}

}  // namespace mf::pg
