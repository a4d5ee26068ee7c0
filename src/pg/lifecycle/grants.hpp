// Who else may use a model, and whose it is.
#pragma once

#include "pg/sql/catalog.hpp"

namespace mf::pg {

/// Lets a role, or all for 'public', use the model, or no longer; what is so already stays so. For callers who manage
/// the model. Waits for a training that is about to commit, not for one that goes on. Throws undefined_object,
/// insufficient_privilege.
void grant_model(const Catalog& catalog, const char* model, const char* grantee);
void revoke_model(const Catalog& catalog, const char* model, const char* grantee);

/// Gives all versions to another role, of which the caller must be a member, as for ALTER TABLE ... OWNER TO. Waits for
/// a training under way, which would store its version under the old one.
void set_owner(const Catalog& catalog, const char* model, const char* owner);

/// Deletes grants of that name if there is no model of that name: a later one must not begin with them.
void delete_orphaned_grants(const Catalog& catalog, const std::string& model);

}  // namespace mf::pg
