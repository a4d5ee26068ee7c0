// What this extension has to know of Citus, which need not be there: where it is not, nothing is looked up but once.
//
// Models are trained and kept on the coordinator. On the other nodes the functions read copies of them, which are
// reference tables (pg/lifecycle/model_copies.hpp): Citus writes these on all nodes, with the transaction. A node reads
// its own placement of such a table as it is, an ordinary table with the number of the shard in its name.
#pragma once

#include "pg/wall/guard.hpp"

namespace mf::pg {

/// Whether Citus is loaded in this process. It can only be preloaded, so that this does not change.
bool citus_is_loaded();

/// Whether the extension citus exists in this database.
bool is_citus_database_unsafe();

/// Whether this server is a node of a cluster, and not its coordinator.
bool on_citus_worker_unsafe();

/// Number of the only shard of a reference table; 0 if the table is not one of Citus.
std::int64_t reference_shard_unsafe(Oid table);

/// Whether this node has a placement of a shard. A node that has left the cluster and come back may still have the
/// table of a placement that it had.
bool has_placement_unsafe(std::int64_t shard);

/// Between these two calls, what is queried may be a distributed table although a query on a shard called the function.
/// By default Citus forbids that, because such a query does not see what the transaction has changed on other nodes. An
/// error ends it as well.
int begin_nested_queries_unsafe();
void end_nested_queries_unsafe(int level);

/// Adds a hint to an error that denies the reading of a relation: where it is distributed, Citus reads it as the
/// caller, whoever's rights were checked before.
void hint_at_rights_of_caller(const PgError& error, const std::string& relation);

/// Throws feature_not_supported on a worker: models are changed on the coordinator.
void require_coordinator();

/// Throws the same; `message` says what is on the coordinator only.
[[noreturn]] void throw_on_worker(const std::string& message);

}  // namespace mf::pg
