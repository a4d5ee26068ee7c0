// Locks that serialize changes of a model. All of them but one last until the end of the transaction, and readers of
// the model take none of them.
#pragma once

#include "pg/models/privileges.hpp"
#include "pg/sql/catalog.hpp"

namespace mf::pg {

/// A training run holds Training from its start, possibly for hours, and Publication from the moment it stores its
/// version. Calls that must not overlap with a training run take both, in this order; calls that only insert, update or
/// delete rows take Publication.
enum class ModelLock : std::uint16_t { Training, Publication };

/// Both locks on all models whose names begin with `prefix`, which ends with a slash, for a caller who changes many of
/// them: one lock of each kind, however many the models are, so that the server's lock table need not have room for
/// all. Whoever changes one of them alone shares these locks with others who do. As long as the object is there, the
/// functions below take no further locks on these models. The locks last until the end of the transaction.
class GroupLocks {
  public:
    GroupLocks(const Catalog& catalog, std::string prefix);
    ~GroupLocks();
    GroupLocks(const GroupLocks&) = delete;
    GroupLocks& operator=(const GroupLocks&) = delete;

    bool has(const std::string& name) const;

  private:
    std::string prefix_;
    const GroupLocks* around_;  ///< of a call whose source calls
};

/// Waits for the lock on the model of that name, whether or not the model exists. Throws serialization_failure if the
/// transaction uses a single snapshot and the model has changed since it was taken.
void lock_model(const Catalog& catalog, const std::string& name, ModelLock lock);

/// The same until the process ends: for a worker whose training run spans several transactions.
void lock_model_for_session(const Catalog& catalog, const std::string& name, ModelLock lock);

/// The owner of the model, nothing if there is none. Throws insufficient_privilege if the caller does not manage it.
std::optional<Oid> own_model(const Catalog& catalog, const std::string& name);

/// Takes both locks on a model, or Publication alone, for a caller who manages it. Returns the owner. Throws
/// insufficient_privilege, if possible before it waits, and undefined_object if there is no such model after the wait.
Oid lock_own_model(const Catalog& catalog, const std::string& name, bool wait_for_training);

/// Takes the first lock, for a training run. Returns the role that will own the new version: the owner of the model if
/// it exists. Throws insufficient_privilege if the caller does not manage the model, undefined_object if its owner was
/// dropped.
Oid lock_for_training(const Catalog& catalog, const std::string& name);

}  // namespace mf::pg
