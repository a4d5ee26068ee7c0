// Grants of models, and changes of their owner.
#pragma once

#include "pg/sql/catalog.hpp"

namespace mf::pg {

/// Grants the use of the model to a role, or to all for 'public', or revokes it; does nothing if that is so already.
/// For callers who manage the model. Waits for a training run that is about to commit, but not for one that is still
/// computing. Throws undefined_object, insufficient_privilege.
void grant_model(const Catalog& catalog, const char* model, const char* grantee);
void revoke_model(const Catalog& catalog, const char* model, const char* grantee);

/// Transfers all versions to another role, of which the caller must be a member, as for ALTER TABLE ... OWNER TO. Waits
/// for a training run in progress, which would store its version under the old owner.
void set_owner(const Catalog& catalog, const char* model, const char* owner);

/// Deletes the grants of that name if no model has it: a later model of that name must not inherit them.
void delete_orphaned_grants(const Catalog& catalog, const std::string& model);

}  // namespace mf::pg
