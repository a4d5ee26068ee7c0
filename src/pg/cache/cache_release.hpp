// Images of versions that are no more leave the shared cache.
#pragma once

#include "pg/sql/catalog.hpp"

namespace mf::pg {

/// Removes images of versions of this database that are dropped, and of databases that are. Does nothing in a
/// transaction that has deleted versions itself, before it commits.
void release_dropped_unsafe(const Catalog& catalog);

/// The same when the transaction commits; for those who delete versions.
void release_dropped_at_commit_unsafe(const Catalog& catalog);

}  // namespace mf::pg
