// Who may do what with a model. Each call looks up roles anew, and grants as the active snapshot sees them.
#pragma once

#include "pg/sql/catalog.hpp"

namespace mf::pg {

/// What a call does with a model: reading and serving it, or what only its owner may do: training, dropping, granting,
/// …
enum class Access { Use, Manage };

/// True if the current user has the privileges of the model's owner, or of the owner of the extension.
bool may_manage_unsafe(const Catalog& catalog, Oid owner);

/// True if the current user may manage the model, or if it was granted to PUBLIC or to a role whose privileges the user
/// has. Takes one index lookup, and only for a user who may not manage the model.
bool may_use_unsafe(const Catalog& catalog, const char* model, Oid owner);

/// How close a model is to the current user; a call that names no model means the closest.
enum class Standing {
    None,     ///< the user may not use it
    Public,   ///< everybody may, or a superuser
    Granted,  ///< granted to the user or a role whose privileges the user has, or such a role owns it
    Owned,    ///< the user owns it
};
Standing standing_unsafe(const Catalog& catalog, const char* model, Oid owner);

/// Throws insufficient_privilege unless the current user has that access to the model.
void require_access(const Catalog& catalog, const std::string& model, Oid owner, Access access);

/// Throws undefined_object if the role was dropped: nothing can be read with its rights then.
void require_owner_exists(const std::string& model, Oid owner);

/// The role of that name; 'public' is InvalidOid if public is allowed. Throws undefined_object.
Oid role_named(const char* name, bool allow_public);

}  // namespace mf::pg
