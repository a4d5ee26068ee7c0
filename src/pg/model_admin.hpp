// What the owner of a model does with its versions.
#pragma once

#include "pg/catalog.hpp"

namespace mf::pg {

/// Deletes one version, or all for a null version, after trainings under way; if the live one goes and others remain,
/// the newest of them becomes live and a NOTICE says so. Grants go with the last version. Returns how many versions
/// went. Throws undefined_object, insufficient_privilege.
int drop_versions(const Catalog& catalog, const char* model, std::optional<std::int32_t> version);

}  // namespace mf::pg
