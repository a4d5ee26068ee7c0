// Where a distributed training run takes place. An engine is a way to lay out the tables of a run (run_tables.hpp); the
// statements on them are the same.
#pragma once

#include <string>

#include "pg/distributed/run_tables.hpp"

namespace mf::pg {

struct Engine {
    const char* name;
    /// True if this is the engine for a source; the first one that says so is.
    bool (*serves)(const Catalog& catalog, Oid source);
    /// How many servers that do not know of each other rows lie at, 0 if there is one or they do.
    std::int32_t (*places)(const Catalog& catalog, Oid source);
    /// Makes the tables.
    void (*lay_out)(const RunTables& tables, Oid source);
};

/// Makes the tables of a run, which go with the extension.
void lay_out(const Engine& engine, const RunTables& tables, Oid source);

/// Frees the space of what a run has deleted, in sessions of their own, where the tables are Citus's: at the beginning
/// of a transaction, of what earlier ones have deleted. What fails there is left to autovacuum.
void reclaim(const RunTables& tables);

/// True if a source lies on several servers, so that a distributed run needs less memory here.
bool is_distributed_source(const Catalog& catalog, Oid source);

/// The engine for a source.
const Engine& engine_for(const Catalog& catalog, Oid source);

}  // namespace mf::pg
