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

const GroupLocks* group = nullptr;  // the innermost one

/// Locks of groups have numbers after those of models.
constexpr std::uint16_t kOfGroup = 2;

void acquire_tag(const Catalog& catalog, std::string_view name, int number, LOCKMODE mode, bool for_session) {
    pg_call([&catalog, name, number, mode, for_session] {
        const uint32 hash = DatumGetUInt32(
            hash_any(reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size())));
        LOCKTAG tag;
        SET_LOCKTAG_OBJECT(tag, MyDatabaseId, catalog.models, hash, static_cast<uint16>(number));
        LockAcquire(&tag, mode, for_session, false);
    });
}

void acquire(const Catalog& catalog, const std::string& name, ModelLock lock, bool for_session) {
    require_coordinator();
    if (group != nullptr && group->has(name)) return;
    const int number = static_cast<int>(lock);
    for (std::size_t slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1))
        acquire_tag(catalog, std::string_view(name).substr(0, slash + 1), number + kOfGroup, ShareLock, for_session);
    acquire_tag(catalog, name, number, ExclusiveLock, for_session);
}

}  // namespace

GroupLocks::GroupLocks(const Catalog& catalog, std::string prefix) : prefix_(std::move(prefix)), around_(group) {
    require_coordinator();
    for (const ModelLock lock : {ModelLock::Training, ModelLock::Publication})
        acquire_tag(catalog, prefix_, static_cast<int>(lock) + kOfGroup, ExclusiveLock, false);
    group = this;
}

GroupLocks::~GroupLocks() { group = around_; }

bool GroupLocks::has(const std::string& name) const {
    return name.starts_with(prefix_) || (around_ != nullptr && around_->has(name));
}

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
