#include "pg/models/model_locks.hpp"

#include "pg/models/model_rows.hpp"
#include "pg/sql/citus.hpp"
#include "pg/wall/guard.hpp"

extern "C" {
#include "common/hashfn.h"
#include "storage/lock.h"
#include "utils/inval.h"
}

namespace mf::pg {
namespace {

LOCKTAG tag_unsafe(const Catalog& catalog, const char* name, int length, ModelLock lock) {
    const uint32 hash = DatumGetUInt32(hash_any(reinterpret_cast<const unsigned char*>(name), length));
    LOCKTAG tag;
    SET_LOCKTAG_OBJECT(tag, MyDatabaseId, catalog.models, hash, static_cast<uint16>(lock));
    return tag;
}

void acquire(const Catalog& catalog, const std::string& name, ModelLock lock, bool for_session) {
    require_coordinator();
    pg_call([&catalog, lock, for_session, data = name.data(), length = static_cast<int>(name.size())] {
        const LOCKTAG tag = tag_unsafe(catalog, data, length, lock);
        LockAcquire(&tag, ExclusiveLock, for_session, false);
    });
}

}  // namespace

void lock_model(const Catalog& catalog, const std::string& name, ModelLock lock) {
    acquire(catalog, name, lock, false);
    // The previous holder may have changed the catalogs.
    pg_call([] { AcceptInvalidationMessages(); });
    // An older snapshot does not show the previous holder's changes of the model: decisions based on it could break the
    // rules that the lock protects.
    const bool changed = pg_call([&catalog, name = name.c_str()] {
        return IsolationUsesXactSnapshot() && changed_since_snapshot_unsafe(catalog, name);
    });
    if (changed)
        throw SqlError(ERRCODE_T_R_SERIALIZATION_FAILURE,
                       "could not serialize access: model \"" + name + "\" was changed by another transaction",
                       "The change was committed after the snapshot of this transaction was taken.",
                       "The transaction might succeed if retried.");
}

void lock_model_for_session(const Catalog& catalog, const std::string& name, ModelLock lock) {
    acquire(catalog, name, lock, true);
}

std::optional<Oid> own_model(const Catalog& catalog, const std::string& name) {
    const std::optional<Oid> owner = find_owner(catalog, name);
    if (owner) require_access(catalog, name, *owner, Access::Manage);
    return owner;
}

Oid lock_own_model(const Catalog& catalog, const std::string& name, bool wait_for_training) {
    own_model(catalog, name);
    if (wait_for_training) lock_model(catalog, name, ModelLock::Training);
    lock_model(catalog, name, ModelLock::Publication);
    const std::optional<Oid> owner = own_model(catalog, name);
    if (!owner) throw_no_such_model(catalog, name);
    return *owner;
}

Oid lock_for_training(const Catalog& catalog, const std::string& name) {
    lock_model(catalog, name, ModelLock::Training);
    const std::optional<Oid> owner = own_model(catalog, name);
    if (!owner) return pg_call([] { return GetUserId(); });
    require_owner_exists(name, *owner);
    return *owner;
}

}  // namespace mf::pg
