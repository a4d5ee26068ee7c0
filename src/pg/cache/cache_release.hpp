// Evicts cached images that no version has any more.
#pragma once

#include "pg/sql/catalog.hpp"

namespace mf::pg {

/// Evicts the images of dropped versions of this database, those of items that were refreshed since, and those of
/// dropped databases. Does nothing in a transaction that has itself changed versions so and has not committed yet.
void release_dropped_unsafe(const Catalog& catalog);

/// Does the same when the transaction commits; for callers that delete versions or refresh items.
void release_dropped_at_commit_unsafe(const Catalog& catalog);

}  // namespace mf::pg
