#include "pg/model_rows.hpp"

#include "pg/cache_release.hpp"
#include "pg/grants.hpp"
#include "pg/guc.hpp"
#include "pg/model_locks.hpp"
#include "pg/own_tables.hpp"

namespace mf::pg {
namespace {

/// Columns of mf_model_data, in the order of the install script.
enum ModelColumn : AttrNumber {
    kModelId = 1,
    kModel,
    kVersion,
    kLive,
    kOwner,
    kSource,
    kUserColumn,
    kItemColumn,
    kRatingColumn,
    kTimeColumn,
    kUserType,
    kItemType,
    kFeedback,
    kAlgorithm,
    kParameters,
    kUsers,
    kItems,
    kRatings,
    kMetrics,
    kTrainedAt,
    kSeconds,
    kModelColumnCount = kSeconds
};

struct LiveModel {
    bool found;
    const char* name;
    ModelVersion version;
};

void copy_name(NameData* target, Datum value, bool null) {
    if (null)
        NameStr(*target)[0] = '\0';
    else
        *target = *DatumGetName(value);
}

ModelVersion version_of_tuple_unsafe(HeapTuple tuple, TupleDesc descriptor, const char** name) {
    Datum values[kModelColumnCount];
    bool nulls[kModelColumnCount];
    heap_deform_tuple(tuple, descriptor, values, nulls);
    const auto value = [&values](ModelColumn column) { return values[column - 1]; };
    *name = TextDatumGetCString(value(kModel));
    ModelVersion version;
    version.model_id = DatumGetInt64(value(kModelId));
    version.uncommitted = TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data));
    version.version = DatumGetInt32(value(kVersion));
    version.owner = DatumGetObjectId(value(kOwner));
    version.source = DatumGetObjectId(value(kSource));
    version.trained_at = DatumGetTimestampTz(value(kTrainedAt));
    copy_name(&version.user_column, value(kUserColumn), false);
    copy_name(&version.item_column, value(kItemColumn), false);
    copy_name(&version.rating_column, value(kRatingColumn), nulls[kRatingColumn - 1]);
    copy_name(&version.time_column, value(kTimeColumn), nulls[kTimeColumn - 1]);
    version.user_type = DatumGetObjectId(value(kUserType));
    version.item_type = DatumGetObjectId(value(kItemType));
    version.implicit = strcmp(TextDatumGetCString(value(kFeedback)), "implicit") == 0;
    strlcpy(NameStr(version.algorithm), TextDatumGetCString(value(kAlgorithm)), NAMEDATALEN);
    version.items = DatumGetInt64(value(kItems));
    version.parameters = DatumGetJsonbPCopy(value(kParameters));
    return version;
}

void model_key_unsafe(ScanKey key, const char* name) {
    ScanKeyEntryInitialize(key, 0, kModel, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID, F_TEXTEQ,
                           CStringGetTextDatum(name));
}

LiveModel find_live_unsafe(const Catalog& catalog, const char* name) {
    LiveModel result{};
    Relation models = table_open(catalog.models, AccessShareLock);
    ScanKeyData key;
    model_key_unsafe(&key, name);
    SysScanDesc scan =
        systable_beginscan(models, catalog.models_live_index, true, GetActiveSnapshot(), 1, &key);
    HeapTuple tuple = systable_getnext(scan);
    if (HeapTupleIsValid(tuple)) {
        result.found = true;
        result.version = version_of_tuple_unsafe(tuple, RelationGetDescr(models), &result.name);
    }
    systable_endscan(scan);
    table_close(models, AccessShareLock);
    return result;
}

ModelLabel find_label_unsafe(const Catalog& catalog, Relation models, std::int64_t model_id, Snapshot snapshot) {
    ModelLabel label{nullptr, InvalidOid};
    ScanKeyData key;
    ScanKeyInit(&key, kModelId, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(model_id));
    SysScanDesc scan = systable_beginscan(models, catalog.models_index, true, snapshot, 1, &key);
    HeapTuple tuple = systable_getnext(scan);
    if (HeapTupleIsValid(tuple)) {
        bool null;
        label.name = TextDatumGetCString(heap_getattr(tuple, kModel, RelationGetDescr(models), &null));
        label.owner = DatumGetObjectId(heap_getattr(tuple, kOwner, RelationGetDescr(models), &null));
    }
    systable_endscan(scan);
    return label;
}

/// Names of the live models that the caller may use, as a list for people, and the only one if there is one.
struct UsableModels {
    int count;
    const char* list;
    const char* first;
};

UsableModels usable_models_unsafe(const Catalog& catalog) {
    UsableModels result{};
    StringInfoData list;
    initStringInfo(&list);
    Relation models = table_open(catalog.models, AccessShareLock);
    SysScanDesc scan =
        systable_beginscan(models, catalog.models_live_index, true, GetActiveSnapshot(), 0, nullptr);
    for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple); tuple = systable_getnext(scan)) {
        const char* name;
        const ModelVersion version = version_of_tuple_unsafe(tuple, RelationGetDescr(models), &name);
        if (!may_use_unsafe(catalog, name, version.owner)) continue;
        if (result.count++ == 0) result.first = name;
        if (result.count <= 20) appendStringInfo(&list, "%s\"%s\"", result.count > 1 ? ", " : "", name);
    }
    systable_endscan(scan);
    table_close(models, AccessShareLock);
    if (result.count > 20) appendStringInfo(&list, " and %d more", result.count - 20);
    result.list = list.data;
    return result;
}

std::string models_hint(const Catalog& catalog) {
    const UsableModels usable = pg_call([&catalog] { return usable_models_unsafe(catalog); });
    if (usable.count == 0) return "Train one with SELECT * FROM mf_train('...').";
    return std::string("Models you may use: ") + usable.list + ".";
}

std::string model_to_use(const Catalog& catalog, const char* name) {
    if (name != nullptr) return name;
    if (*setting_default_model() != '\0') return setting_default_model();
    const UsableModels usable = pg_call([&catalog] { return usable_models_unsafe(catalog); });
    if (usable.count == 1) return usable.first;
    if (usable.count == 0)
        throw SqlError(ERRCODE_UNDEFINED_OBJECT, "there is no model", "",
                       "Train one with SELECT * FROM mf_train('...').");
    throw SqlError(ERRCODE_AMBIGUOUS_PARAMETER, "there is more than one model, name one",
                   std::string("Models you may use: ") + usable.list + ".",
                   "Pass model => '...', or set mf_ext.default_model.");
}

}  // namespace

ModelVersion find_model(const Catalog& catalog, const char* name, std::string* found_name, Access access) {
    *found_name = model_to_use(catalog, name);
    const char* wanted = found_name->c_str();
    const LiveModel model = pg_call([&catalog, wanted] { return find_live_unsafe(catalog, wanted); });
    if (!model.found) throw_no_such_model(catalog, *found_name);
    require_access(catalog, *found_name, model.version.owner, access);
    require_owner_exists(*found_name, model.version.owner);
    return model.version;
}

Oid find_owner(const Catalog& catalog, const std::string& name) {
    return pg_call([&catalog, name = name.c_str()] {
        PushActiveSnapshot(GetTransactionSnapshot());
        const LiveModel found = find_live_unsafe(catalog, name);
        PopActiveSnapshot();
        return found.found ? found.version.owner : InvalidOid;
    });
}

void throw_no_such_model(const Catalog& catalog, const std::string& name) {
    throw SqlError(ERRCODE_UNDEFINED_OBJECT, "model \"" + name + "\" does not exist", "", models_hint(catalog));
}

bool version_exists_unsafe(const Catalog& catalog, std::int64_t model_id) {
    Relation models = try_relation_open(catalog.models, AccessShareLock);
    if (models == nullptr) return false;
    Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
    const bool exists = find_label_unsafe(catalog, models, model_id, snapshot).name != nullptr;
    UnregisterSnapshot(snapshot);
    relation_close(models, AccessShareLock);
    return exists;
}

ModelLabel label_of_version_unsafe(const Catalog& catalog, std::int64_t model_id) {
    Relation models = table_open(catalog.models, AccessShareLock);
    const ModelLabel label = find_label_unsafe(catalog, models, model_id, GetActiveSnapshot());
    table_close(models, AccessShareLock);
    return label;
}

std::int64_t next_model_id(const Catalog& catalog) {
    const Oid sequence = catalog.models_sequence;
    return pg_call([sequence] { return static_cast<std::int64_t>(nextval_internal(sequence, false)); });
}

std::int32_t publish(const Catalog& catalog, std::int64_t model_id, const NewVersion& row) {
    const std::string retire =
        with_table_names(catalog, "UPDATE {models} SET live = false WHERE model = $1 AND live RETURNING version");
    const std::string insert = with_table_names(
        catalog,
        "INSERT INTO {models} (model_id, model, version, live, owner, source, user_column, item_column, rating_column,"
        " time_column, user_type, item_type, feedback, algorithm, parameters, users, items, ratings, metrics,"
        " trained_at, seconds)"
        " SELECT $2, $1, coalesce(max(version), 0) + 1, true, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
        " $15, $16, $17, clock_timestamp(), $18 FROM {models} WHERE model = $1 RETURNING version");
    const std::string expire = with_table_names(
        catalog,
        "WITH old AS (DELETE FROM {models} WHERE model = $1 AND NOT live AND version NOT IN"
        " (SELECT version FROM {models} WHERE model = $1"
        "   ORDER BY live DESC, version IS NOT DISTINCT FROM $3 DESC, version DESC LIMIT $2) RETURNING model_id),"
        " u AS (DELETE FROM {user_factors} f USING old WHERE f.model_id = old.model_id),"
        " i AS (DELETE FROM {item_factors} f USING old WHERE f.model_id = old.model_id) SELECT FROM old");
    const int keep = setting_keep_versions();
    lock_model(catalog, row.model, ModelLock::Publication);
    delete_orphaned_grants(catalog, row.model);
    return pg_call([&, model_id, keep, retire = retire.c_str(), insert = insert.c_str(), expire = expire.c_str()] {
        const Source& source = *row.source;
        const Parameter model = text_parameter_unsafe(row.model.c_str());
        const StatementResult retired = run_statement_unsafe(catalog, retire, 1, &model);
        const Parameter values[] = {
            model,
            int8_parameter(model_id),
            role_parameter(row.owner),
            {REGCLASSOID, ObjectIdGetDatum(source.relation), false},
            name_parameter_unsafe(source.user.name.c_str()),
            name_parameter_unsafe(source.item.name.c_str()),
            name_parameter_unsafe(source.rating ? source.rating->name.c_str() : nullptr),
            name_parameter_unsafe(source.time ? source.time->name.c_str() : nullptr),
            {REGTYPEOID, ObjectIdGetDatum(source.user.type), false},
            {REGTYPEOID, ObjectIdGetDatum(source.item.type), false},
            text_parameter_unsafe(row.options->feedback == Feedback::Explicit ? "explicit" : "implicit"),
            text_parameter_unsafe(row.algorithm.c_str()),
            jsonb_parameter_unsafe(row.parameters.c_str()),
            int8_parameter(static_cast<std::int64_t>(row.summary.users)),
            int8_parameter(static_cast<std::int64_t>(row.summary.items)),
            int8_parameter(static_cast<std::int64_t>(row.summary.ratings)),
            jsonb_parameter_unsafe(row.metrics.c_str()),
            {FLOAT8OID, Float8GetDatum(row.seconds), false},
        };
        const StatementResult inserted = run_statement_unsafe(catalog, insert, lengthof(values), values);
        if (!inserted.has_first) elog(ERROR, "the new version was not stored");
        const Parameter bounds[] = {model, int4_parameter(keep),
                                    retired.has_first ? int4_parameter(retired.first) : null_parameter(INT4OID)};
        if (run_statement_unsafe(catalog, expire, lengthof(bounds), bounds).rows > 0)
            release_dropped_at_commit_unsafe(catalog);
        return inserted.first;
    });
}

}  // namespace mf::pg
