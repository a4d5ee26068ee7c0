// What the owner of a model does with its versions.
#pragma once

#include "pg/sql/catalog.hpp"

namespace mf::pg {

/// Deletes one version, or all for a null version, after trainings under way; if the live one goes and others remain,
/// the newest of them becomes live and a NOTICE says so. Grants go with the last version. Returns how many versions
/// went. Throws undefined_object, insufficient_privilege.
int drop_versions(const Catalog& catalog, const char* model, std::optional<std::int32_t> version);

/// Makes a version the live one, from the commit on. Returns the one that was live, which may be the same. Waits for a
/// training that is about to commit, not for one that goes on: that will publish its version as the live one when it
/// ends. Throws undefined_object, insufficient_privilege.
std::int32_t set_live(const Catalog& catalog, const char* model, std::int32_t version);

/// Gives the model, with its versions and grants, another name, after trainings under way. Throws undefined_object,
/// insufficient_privilege, invalid_name, and duplicate_object if there is a model of that name, whoever's it is.
void rename_model(const Catalog& catalog, const char* model, const char* new_name);

}  // namespace mf::pg
