#include "pg/distributed/engines.hpp"

#include <vector>

#include "pg/sql/quoting.hpp"
#include "pg/wall/guard.hpp"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
}

namespace mf::pg {

namespace {

constexpr const char* kRowColumns =
    "(run int8 NOT NULL, place int4 NOT NULL, side int4 NOT NULL, bucket int4 NOT NULL, block bytea NOT NULL)";
constexpr const char* kPartColumns = "(bucket int4 NOT NULL, users int4 NOT NULL, part bytea NOT NULL)";
constexpr const char* kSharedColumns =
    "(run int8 NOT NULL, place int4 NOT NULL, part int4 NOT NULL, kind int4 NOT NULL, version int4 NOT NULL,"
    " bucket int4 NOT NULL, block bytea NOT NULL)";

void execute(const Catalog& catalog, const std::string& sql) {
    pg_call([&catalog, sql = sql.c_str()] { run_statement_unsafe(catalog, sql, 0, nullptr); });
}

/// The number that a query gives.
std::int32_t number(const Catalog& catalog, const char* sql) {
    return pg_call([&catalog, sql] { return run_statement_unsafe(catalog, sql, 0, nullptr).first; });
}

void make_table(const RunTables& tables, const char* table, const char* columns, const char* block) {
    execute(tables.catalog(), "CREATE TABLE " + tables.name(table) + " " + columns);
    // Floats do not compress.
    execute(tables.catalog(), "ALTER TABLE " + tables.name(table) + " ALTER COLUMN " + block + " SET STORAGE EXTERNAL");
}

// One server: all tables are here.

void lay_out_here(const RunTables& tables, Oid) {
    make_table(tables, "rows", kRowColumns, "block");
    make_table(tables, "parts", kPartColumns, "part");
    make_table(tables, "shared", kSharedColumns, "block");
}

constexpr Engine kPlain = {"plain", [](const Catalog&, Oid) { return true; },
                           [](const Catalog&, Oid) { return std::int32_t{0}; }, lay_out_here};

// Citus: rows and parts are distributed by bucket, what is shared is a reference table. Citus then sends each step to
// the nodes that have the rows, and what comes back to all of them.

constexpr const char* kNodesWithShards =
    "SELECT count(*)::int4 FROM pg_catalog.pg_dist_node WHERE isactive AND noderole = 'primary' AND shouldhaveshards";

bool has_citus(const Catalog& catalog, Oid) {
    const bool is_installed = pg_call([] { return OidIsValid(get_extension_oid("citus", true)); });
    return is_installed && number(catalog, kNodesWithShards) > 0;
}

void lay_out_on_citus(const RunTables& tables, Oid source) {
    lay_out_here(tables, source);
    // One a node, whose task has the threads of mf_ext.max_threads: each task reads all factors of the other side.
    const std::string shards = std::to_string(number(tables.catalog(), kNodesWithShards));
    const std::string rows = quoted_literal(tables.name("rows"));
    execute(tables.catalog(), "SELECT pg_catalog.create_distributed_table(" + rows + ", 'bucket', shard_count => " +
                                  shards + ", colocate_with => 'none')");
    execute(tables.catalog(), "SELECT pg_catalog.create_distributed_table(" + quoted_literal(tables.name("parts")) +
                                  ", 'bucket', colocate_with => " + rows + ")");
    execute(tables.catalog(),
            "SELECT pg_catalog.create_reference_table(" + quoted_literal(tables.name("shared")) + ")");
}

constexpr Engine kCitus = {"citus", has_citus, [](const Catalog&, Oid) { return std::int32_t{0}; }, lay_out_on_citus};

// postgres_fdw: the servers of the source's foreign partitions have the extension, too. Rows and what is shared with
// them lie there, in tables that the extension has on every server; here they are partitions by place.

/// The servers, by name.
std::vector<std::string> servers_of(const Catalog& catalog, Oid source) {
    struct Names {
        char** names;
        int count;
    };
    const Names found = pg_call([&catalog, source] {
        Names result{nullptr, 0};
        const Parameter relation{OIDOID, ObjectIdGetDatum(source), false};
        const char* sql =
            "SELECT DISTINCT s.srvname::text COLLATE \"C\" FROM pg_catalog.pg_partition_tree($1) AS t"
            " JOIN pg_catalog.pg_foreign_table AS f ON f.ftrelid = t.relid"
            " JOIN pg_catalog.pg_foreign_server AS s ON s.oid = f.ftserver"
            " JOIN pg_catalog.pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw"
            " WHERE w.fdwname = 'postgres_fdw' ORDER BY 1";
        execute_unsafe(relation_owner_unsafe(catalog.models), {sql, 1, &relation},
                       [&result](std::uint64_t rows, const SPITupleTable* table) {
                           result.names = static_cast<char**>(palloc(sizeof(char*) * (rows + 1)));
                           for (std::uint64_t i = 0; i < rows; ++i)
                               result.names[result.count++] = SPI_getvalue(table->vals[i], table->tupdesc, 1);
                       });
        return result;
    });
    return {found.names, found.names + found.count};
}

/// Without that the aggregates would run here, on rows that are fetched.
void require_shipping(const Catalog& catalog, const std::string& server) {
    const std::string sql =
        "SELECT 1 FROM pg_catalog.pg_foreign_server AS s, pg_catalog.pg_options_to_table(s.srvoptions) AS o"
        " WHERE s.srvname = " +
        quoted_literal(server) +
        " AND o.option_name = 'extensions' AND 'mf_ext' = ANY (pg_catalog.regexp_split_to_array(o.option_value,"
        " '\\s*,\\s*'))";
    if (number(catalog, sql.c_str()) == 1) return;
    throw SqlError(ERRCODE_FDW_UNABLE_TO_CREATE_EXECUTION,
                   "foreign server \"" + server + "\" does not say that it has mf_ext",
                   "The steps of a distributed training run are to be sent there.",
                   "Run CREATE EXTENSION mf_ext on that server, and here ALTER SERVER " + quoted_name(server) +
                       " OPTIONS (ADD extensions 'mf_ext');");
}

void lay_out_on_foreign_servers(const RunTables& tables, Oid source) {
    const Catalog& catalog = tables.catalog();
    make_table(tables, "parts", kPartColumns, "part");
    const std::vector<std::string> servers = servers_of(catalog, source);
    for (const std::string& server : servers) require_shipping(catalog, server);
    const struct {
        const char* table;
        const char* columns;
        const char* there;
    } layouts[] = {{"rows", kRowColumns, "mf_block_data"}, {"shared", kSharedColumns, "mf_shared_data"}};
    for (const auto& layout : layouts) {
        execute(catalog,
                "CREATE TABLE " + tables.name(layout.table) + " " + layout.columns + " PARTITION BY LIST (place)");
        // The last place is here. There are no rows, but only what is cut alike is joined place by place.
        execute(catalog, "CREATE TABLE " + tables.name((layout.table + std::string("_here")).c_str()) +
                             " PARTITION OF " + tables.name(layout.table) + " FOR VALUES IN (" +
                             std::to_string(servers.size()) + ")");
        for (std::size_t place = 0; place < servers.size(); ++place) {
            const std::string number = std::to_string(place);
            execute(catalog, "CREATE FOREIGN TABLE " + tables.name((layout.table + ("_" + number)).c_str()) +
                                 " PARTITION OF " + tables.name(layout.table) + " FOR VALUES IN (" + number +
                                 ") SERVER " + quoted_name(servers[place]) + " OPTIONS (schema_name " +
                                 quoted_literal(schema_name(catalog.schema)) + ", table_name '" + layout.there + "')");
        }
    }
}

constexpr Engine kForeign = {
    "postgres_fdw", [](const Catalog& catalog, Oid source) { return !servers_of(catalog, source).empty(); },
    [](const Catalog& catalog, Oid source) { return static_cast<std::int32_t>(servers_of(catalog, source).size()); },
    lay_out_on_foreign_servers};

constexpr const Engine* kEngines[] = {&kCitus, &kForeign, &kPlain};

}  // namespace

void lay_out(const Engine& engine, const RunTables& tables, Oid source) {
    engine.lay_out(tables, source);
    for (const char* table : {"rows", "parts", "shared"}) {
        const std::string name = tables.plain_name(table);
        pg_call([schema = tables.catalog().schema, name = name.c_str()] {
            ObjectAddress relation, extension;
            ObjectAddressSet(relation, RelationRelationId, get_relname_relid(name, schema));
            ObjectAddressSet(extension, ExtensionRelationId, get_extension_oid("mf_ext", false));
            recordDependencyOn(&relation, &extension, DEPENDENCY_AUTO_EXTENSION);
        });
    }
}

// Each step deletes the factors that an earlier one has written. Until these are vacuumed the table gets new pages,
// which took a sixth of an iteration's time, and the disk space of many versions.
void reclaim(const RunTables& tables) {
    if (!pg_call([] { return OidIsValid(get_extension_oid("citus", true)); })) return;
    execute(tables.catalog(),
            "SELECT count(*) FROM pg_catalog.pg_dist_partition AS p, LATERAL"
            " pg_catalog.run_command_on_placements(p.logicalrelid, 'VACUUM (SKIP_LOCKED) %s')"
            " WHERE p.logicalrelid OPERATOR(pg_catalog.=) " +
                quoted_literal(tables.name("shared")) + "::pg_catalog.regclass");
}

bool is_distributed_source(const Catalog& catalog, Oid source) { return &engine_for(catalog, source) != &kPlain; }

const Engine& engine_for(const Catalog& catalog, Oid source) {
    for (const Engine* engine : kEngines)
        if (engine->serves(catalog, source)) return *engine;
    return kPlain;
}

}  // namespace mf::pg
