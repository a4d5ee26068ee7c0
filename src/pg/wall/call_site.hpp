// C++ objects that live as long as a place in a query that calls a function.
#pragma once

#include <memory>

#include "pg/wall/guard.hpp"

namespace mf::pg {

/// The object of this call site, made at its first call and destroyed with the FmgrInfo's memory context. A function
/// has one such object. Throws what PostgreSQL raises.
template <class T>
T& of_call_site(FmgrInfo* info) {
    if (info->fn_extra == nullptr) {
        auto* callback = pg_call([info] {
            return static_cast<MemoryContextCallback*>(
                MemoryContextAllocZero(info->fn_mcxt, sizeof(MemoryContextCallback)));
        });
        auto object = std::make_unique<T>();
        callback->func = [](void* pointer) { delete static_cast<T*>(pointer); };
        callback->arg = object.get();
        MemoryContextRegisterResetCallback(info->fn_mcxt, callback);
        info->fn_extra = object.release();
    }
    return *static_cast<T*>(info->fn_extra);
}

}  // namespace mf::pg
