#include "pg/sql/citus.hpp"

extern "C" {
#include "utils/fmgroids.h"
}

namespace mf::pg {
namespace {

constexpr const char* kNestedQueries = "citus.allow_nested_distributed_execution";

/// A column of the first row that has `key` in its first column, or of the first row for no key; 0 if there is none.
std::int64_t catalog_number_unsafe(const char* table, const char* index, const Oid* key, AttrNumber column) {
    const Oid oid = get_relname_relid(table, PG_CATALOG_NAMESPACE);
    if (!OidIsValid(oid)) return 0;
    Relation relation = table_open(oid, AccessShareLock);
    const Oid index_oid = index != nullptr ? get_relname_relid(index, PG_CATALOG_NAMESPACE) : InvalidOid;
    ScanKeyData scan_key;
    if (key != nullptr) ScanKeyInit(&scan_key, 1, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(*key));
    SysScanDesc scan =
        systable_beginscan(relation, index_oid, OidIsValid(index_oid), nullptr, key != nullptr ? 1 : 0, &scan_key);
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

}  // namespace

bool citus_is_loaded() {
    static const bool is_loaded = GetConfigOption(kNestedQueries, true, false) != nullptr;
    return is_loaded;
}

bool is_citus_database_unsafe() { return OidIsValid(get_relname_relid("pg_dist_local_group", PG_CATALOG_NAMESPACE)); }

bool on_citus_worker_unsafe() { return catalog_number_unsafe("pg_dist_local_group", nullptr, nullptr, 1) > 0; }

std::int64_t reference_shard_unsafe(Oid table) {
    return catalog_number_unsafe("pg_dist_shard", "pg_dist_shard_logicalrelid_index", &table, 2);
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
