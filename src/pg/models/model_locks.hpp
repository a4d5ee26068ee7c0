// What happens to one model one at a time. All of these locks but one last until the end of the transaction, and
// readers of the model take none of them.
#pragma once

#include "pg/models/privileges.hpp"
#include "pg/sql/catalog.hpp"

namespace mf::pg {

/// A training holds Training from its start, which may be hours, and Publication once it stores its version. What
/// must not overlap with a training takes both, in this order; what only changes which rows there are, Publication.
enum class ModelLock : std::uint16_t { Training, Publication };

/// Waits for the lock on the model of that name, whether there is one or not. Throws serialization_failure if the
/// transaction keeps one snapshot and the model has changed since.
void lock_model(const Catalog& catalog, const std::string& name, ModelLock lock);

/// The same until the process ends: for a worker whose training takes more than one transaction.
void lock_model_for_session(const Catalog& catalog, const std::string& name, ModelLock lock);

/// The owner of the model, nothing if there is none. Throws insufficient_privilege if the caller does not manage it.
std::optional<Oid> own_model(const Catalog& catalog, const std::string& name);

/// Both locks on a model, or Publication alone, for a caller who manages it. Throws insufficient_privilege, before it
/// waits if that is known by then, and undefined_object if there is no such model afterwards. Returns the owner.
Oid lock_own_model(const Catalog& catalog, const std::string& name, bool wait_for_training);

/// For a training: the first lock. Returns the role that will own the new version, the owner of the model if it exists.
/// Throws insufficient_privilege if the caller does not manage that, undefined_object if its owner was dropped.
Oid lock_for_training(const Catalog& catalog, const std::string& name);

}  // namespace mf::pg
