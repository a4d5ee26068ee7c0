#include "pg/sql/citus.hpp"

#include <initializer_list>

namespace mf::pg {
namespace {

constexpr const char* kNestedQueries = "citus.allow_nested_distributed_execution";

/// A condition on a column of a table of Citus's catalog.
struct Key {
    AttrNumber column;
    RegProcedure equality;
    Datum value;
};

/// A column, an integer, of the first row that meets the conditions; 0 if there is none.
std::int64_t catalog_number_unsafe(const char* table, const char* index, std::initializer_list<Key> keys,
                                   AttrNumber column) {
    const Oid oid = get_relname_relid(table, PG_CATALOG_NAMESPACE);
    if (!OidIsValid(oid)) return 0;
    const Oid index_oid = keys.size() > 0 ? get_relname_relid(index, PG_CATALOG_NAMESPACE) : InvalidOid;
    Relation relation = table_open(oid, AccessShareLock);
    ScanKeyData scan_keys[2];
    int count = 0;
    for (const Key& key : keys)
        ScanKeyInit(&scan_keys[count++], key.column, BTEqualStrategyNumber, key.equality, key.value);
    SysScanDesc scan = systable_beginscan(relation, index_oid, OidIsValid(index_oid), nullptr, count, scan_keys);
    HeapTuple tuple = systable_getnext(scan);
    std::int64_t number = 0;
    if (HeapTupleIsValid(tuple)) {
        bool null;
        const Datum value = heap_getattr(tuple, column, RelationGetDescr(relation), &null);
        const bool is_wide = TupleDescAttr(RelationGetDescr(relation), column - 1)->atttypid == INT8OID;
        if (!null) number = is_wide ? DatumGetInt64(value) : DatumGetInt32(value);
    }
    systable_endscan(scan);
    table_close(relation, AccessShareLock);
    return number;
}

/// Number of this node in the cluster; 0 on the coordinator, and where there is none.
std::int64_t local_group_unsafe() { return catalog_number_unsafe("pg_dist_local_group", nullptr, {}, 1); }

}  // namespace

bool citus_is_loaded() {
    static const bool is_loaded = GetConfigOption(kNestedQueries, true, false) != nullptr;
    return is_loaded;
}

bool is_citus_database_unsafe() { return OidIsValid(get_relname_relid("pg_dist_local_group", PG_CATALOG_NAMESPACE)); }

bool on_citus_worker_unsafe() { return local_group_unsafe() > 0; }

std::int64_t reference_shard_unsafe(Oid table) {
    return catalog_number_unsafe("pg_dist_shard", "pg_dist_shard_logical_relid_index",
                                 {{1, F_OIDEQ, ObjectIdGetDatum(table)}}, 2);
}

bool has_placement_unsafe(std::int64_t shard) {
    const Datum group = Int32GetDatum(static_cast<std::int32_t>(local_group_unsafe()));
    return catalog_number_unsafe("pg_dist_placement", "placement_shardid_groupid_unique_index",
                                 {{2, F_INT8EQ, Int64GetDatum(shard)}, {5, F_INT4EQ, group}}, 1) > 0;
}

int begin_nested_queries_unsafe() {
    if (!citus_is_loaded()) return 0;
    const int level = NewGUCNestLevel();
    set_config_option(kNestedQueries, "on", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    return level;
}

void end_nested_queries_unsafe(int level) {
    if (level > 0) AtEOXact_GUC(false, level);
}

void hint_at_rights_of_caller(const PgError& error, const std::string& relation) {
    if (!citus_is_loaded() || error.data->sqlerrcode != ERRCODE_INSUFFICIENT_PRIVILEGE || error.data->hint != nullptr)
        return;
    error.data->hint = pg_call([relation = relation.c_str()] {
        const MemoryContext caller = MemoryContextSwitchTo(error_context());
        char* hint = psprintf(
            "Citus reads distributed tables with the rights of the role that calls. GRANT SELECT ON %s, or on the "
            "tables that it reads, TO %s.",
            relation, quote_identifier(GetUserNameFromId(GetUserId(), false)));
        MemoryContextSwitchTo(caller);
        return hint;
    });
}

void require_coordinator() {
    if (!citus_is_loaded() || !pg_call([] { return on_citus_worker_unsafe(); })) return;
    throw_on_worker("models are trained and changed on the coordinator");
}

void throw_on_worker(const std::string& message) {
    throw SqlError(ERRCODE_FEATURE_NOT_SUPPORTED, message, "This server is a worker of a Citus cluster.",
                   "Connect to the coordinator: SELECT nodename, nodeport FROM pg_dist_node WHERE groupid = 0;");
}

}  // namespace mf::pg
