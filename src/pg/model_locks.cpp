#include "pg/model_locks.hpp"

#include "pg/guard.hpp"
#include "pg/model_rows.hpp"

extern "C" {
#include "common/hashfn.h"
}

namespace mf::pg {

void lock_model(const Catalog& catalog, const std::string& name, ModelLock lock) {
    pg_call([&catalog, lock, data = name.data(), length = static_cast<int>(name.size())] {
        const uint32 hash = DatumGetUInt32(hash_any(reinterpret_cast<const unsigned char*>(data), length));
        LockDatabaseObject(catalog.models, hash, static_cast<uint16>(lock), ExclusiveLock);
    });
}

Oid own_model(const Catalog& catalog, const std::string& name) {
    const Oid owner = find_owner(catalog, name);
    if (OidIsValid(owner)) require_access(catalog, name, owner, Access::Manage);
    return owner;
}

Oid lock_own_model(const Catalog& catalog, const std::string& name, bool wait_for_training) {
    own_model(catalog, name);
    if (wait_for_training) lock_model(catalog, name, ModelLock::Training);
    lock_model(catalog, name, ModelLock::Publication);
    const Oid owner = own_model(catalog, name);
    if (!OidIsValid(owner)) throw_no_such_model(catalog, name);
    return owner;
}

Oid lock_for_training(const Catalog& catalog, const std::string& name) {
    lock_model(catalog, name, ModelLock::Training);
    const Oid owner = own_model(catalog, name);
    if (!OidIsValid(owner)) return pg_call([] { return GetUserId(); });
    require_owner_exists(name, owner);
    return owner;
}

}  // namespace mf::pg
