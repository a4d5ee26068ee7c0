#include "pg/sql/catalog.hpp"

#include "pg/sql/citus.hpp"
#include "pg/sql/quoting.hpp"
#include "pg/wall/guard.hpp"

namespace mf::pg {
namespace {

Oid relation_unsafe(const char* name, Oid schema) {
    const Oid oid = get_relname_relid(name, schema);
    if (!OidIsValid(oid)) elog(ERROR, "relation \"%s\" of extension mf_ext is missing", name);
    return oid;
}

/// DROP EXTENSION leaves copies without the columns whose types were the extension's.
Oid copies_unsafe(Oid schema) {
    const Oid copies = get_relname_relid(kCopiedTables[0].copy, schema);
    return OidIsValid(copies) && get_attnum(copies, "source") != InvalidAttrNumber ? copies : InvalidOid;
}

[[noreturn]] void raise_no_copies_unsafe() {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("this node of the cluster lacks the copies of models"),
                    errhint("On the coordinator: SELECT replicate_reference_tables();")));
    pg_unreachable();
}

/// Puts the copies into the place of the tables. A relation of this node's placement has the name that it has in the
/// cluster, and the number of the shard after it.
void use_copies_unsafe(Catalog& catalog) {
    std::int64_t shard = 0;
    const auto find = [&catalog, &shard](const char* name) {
        const Oid oid = get_relname_relid(psprintf("%s_" INT64_FORMAT, name, shard), catalog.schema);
        if (!OidIsValid(oid)) raise_no_copies_unsafe();
        return oid;
    };
    const auto open = [&](int table) {
        const char* name = kCopiedTables[table].copy;
        shard = reference_shard_unsafe(relation_unsafe(name, catalog.schema));
        return find(name);
    };
    catalog.models = open(0);
    // Citus copies all reference tables to a node, or none.
    if (!has_placement_unsafe(shard)) raise_no_copies_unsafe();
    catalog.models_index = find("mf_model_copy_pkey");
    catalog.models_live_index = find("mf_model_copy_live_idx");
    catalog.models_version_index = find("mf_model_copy_version_key");
    catalog.item_factors = open(1);
    catalog.item_factors_index = find("mf_item_factor_copy_pkey");
    catalog.features.items = open(2);
    catalog.features_index.items = find("mf_item_feature_copy_pkey");
    catalog.features.users = open(3);
    catalog.features_index.users = find("mf_user_feature_copy_pkey");
    catalog.grants = open(4);
    catalog.grants_index = find("mf_grant_copy_pkey");
}

}  // namespace

Catalog catalog_unsafe(FunctionCallInfo fcinfo) { return catalog_of_function_unsafe(fcinfo->flinfo->fn_oid); }

Catalog catalog_of_function_unsafe(Oid function) {
    const Oid schema = get_func_namespace(function);
    if (!OidIsValid(schema)) elog(ERROR, "extension mf_ext was dropped");
    Catalog catalog;
    catalog.schema = schema;
    catalog.models = relation_unsafe("mf_model_data", schema);
    catalog.models_index = relation_unsafe("mf_model_data_pkey", schema);
    catalog.models_live_index = relation_unsafe("mf_model_data_live_idx", schema);
    catalog.models_version_index = relation_unsafe("mf_model_data_version_key", schema);
    catalog.models_sequence = relation_unsafe("mf_model_id_seq", schema);
    catalog.user_factors = relation_unsafe("mf_user_factor_data", schema);
    catalog.user_factors_index = relation_unsafe("mf_user_factor_data_pkey", schema);
    catalog.item_factors = relation_unsafe("mf_item_factor_data", schema);
    catalog.item_factors_index = relation_unsafe("mf_item_factor_data_pkey", schema);
    catalog.features = {relation_unsafe("mf_item_feature_data", schema),
                        relation_unsafe("mf_user_feature_data", schema)};
    catalog.features_index = {relation_unsafe("mf_item_feature_data_pkey", schema),
                              relation_unsafe("mf_user_feature_data_pkey", schema)};
    catalog.grants = relation_unsafe("mf_grant_data", schema);
    catalog.grants_index = relation_unsafe("mf_grant_data_pkey", schema);
    catalog.trainings = relation_unsafe("mf_training_data", schema);
    catalog.jobs = relation_unsafe("mf_job_data", schema);
    catalog.runs = relation_unsafe("mf_run_data", schema);
    catalog.jobs_sequence = relation_unsafe("mf_job_id_seq", schema);
    catalog.model_copies = citus_is_loaded() ? copies_unsafe(schema) : InvalidOid;
    catalog.is_of_copies = OidIsValid(catalog.model_copies) && on_citus_worker_unsafe();
    if (catalog.is_of_copies) use_copies_unsafe(catalog);
    return catalog;
}

std::string schema_name(Oid schema) {
    const char* name = pg_call([schema] { return get_namespace_name(schema); });
    if (name == nullptr)
        throw SqlError(ERRCODE_UNDEFINED_SCHEMA, "the schema does not exist any more", "", "Call the function again.");
    return name;
}

std::string extension_schema(const Catalog& catalog) { return quoted_name(schema_name(catalog.schema)); }

RoleSwitch enter_role_unsafe(Oid role, int security_flags) {
    RoleSwitch saved;
    GetUserIdAndSecContext(&saved.role, &saved.flags);
    SetUserIdAndSecContext(role, saved.flags | security_flags);
    saved.guc_level = NewGUCNestLevel();
    set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                      false);
    return saved;
}

void leave_role_unsafe(const RoleSwitch& saved) {
    AtEOXact_GUC(false, saved.guc_level);
    SetUserIdAndSecContext(saved.role, saved.flags);
}

Oid relation_owner_unsafe(Oid relation) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for relation %u", relation);
    const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
    ReleaseSysCache(tuple);
    return owner;
}

const char* qualified_name_unsafe(Oid relation) {
    const char* name = get_rel_name(relation);
    if (name == nullptr) return psprintf("%u", relation);
    return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), name);
}

std::string qualified_name(Oid relation) {
    return pg_call([relation] { return qualified_name_unsafe(relation); });
}

}  // namespace mf::pg
