// Evicts the cached images of dropped versions.
#pragma once

#include "pg/sql/catalog.hpp"

namespace mf::pg {

/// Evicts the images of dropped versions of this database, and of dropped databases. Does nothing in a transaction that
/// has itself deleted versions and has not committed yet.
void release_dropped_unsafe(const Catalog& catalog);

/// Does the same when the transaction commits; for callers that delete versions.
void release_dropped_at_commit_unsafe(const Catalog& catalog);

}  // namespace mf::pg
