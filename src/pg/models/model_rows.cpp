#include "pg/models/model_rows.hpp"

#include <algorithm>

#include "pg/sql/citus.hpp"
#include "pg/sql/quoting.hpp"
#include "pg/sql/tuples.hpp"
#include "pg/wall/guard.hpp"
#include "pg/wall/guc.hpp"

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
    kTenantColumn,
    kTenant,
    kItemFeatures,
    kUserFeatures,
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
    kRefreshedAt,
    kModelColumnCount = kRefreshedAt
};

struct FoundVersion {
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

[[noreturn]] void raise_damaged_unsafe(const char* model, const char* damage) {
    ereport(ERROR,
            (errcode(ERRCODE_DATA_CORRUPTED),
             errmsg("a version of model \"%s\" is damaged", model != nullptr ? model : "?"), errdetail("%s", damage),
             errhint("A superuser can repair or delete its row in mf_model_data; then train the model again.")));
    pg_unreachable();
}

/// Without its tenant a version would read the rows of all.
StoredTenant tenant_unsafe(const char* model, const NameData* column, const char* value) {
    StoredTenant tenant{};
    if (column == nullptr && value == nullptr) return tenant;
    if (column == nullptr || value == nullptr) raise_damaged_unsafe(model, "One of tenant_column and tenant is NULL.");
    if (NameStr(*column)[0] == '\0' || *value == '\0' || strlen(value) > kLongestName)
        raise_damaged_unsafe(model, "Its tenant_column or tenant is empty or too long.");
    tenant.column = *column;
    strlcpy(tenant.value, value, sizeof tenant.value);
    return tenant;
}

ModelVersion version_of_tuple_unsafe(HeapTuple tuple, TupleDesc descriptor, const char** name) {
    Datum values[kModelColumnCount];
    bool nulls[kModelColumnCount];
    deform_unsafe(tuple, descriptor, kModelColumnCount, values, nulls);
    const auto value = [&values](ModelColumn column) { return values[column - 1]; };
    // The table has constraints, but its owner can drop them.
    for (const ModelColumn column : {kModelId, kModel, kVersion, kOwner, kSource, kTrainedAt, kUserColumn, kItemColumn,
                                     kUserType, kItemType, kFeedback, kAlgorithm, kUsers, kItems, kParameters})
        if (nulls[column - 1])
            raise_damaged_unsafe(nulls[kModel - 1] ? nullptr : TextDatumGetCString(value(kModel)),
                                 psprintf("Its %s is NULL.", NameStr(TupleDescAttr(descriptor, column - 1)->attname)));
    *name = TextDatumGetCString(value(kModel));
    ModelVersion version;
    version.model_id = DatumGetInt64(value(kModelId));
    version.uncommitted = TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data));
    version.version = DatumGetInt32(value(kVersion));
    version.owner = DatumGetObjectId(value(kOwner));
    version.source = DatumGetObjectId(value(kSource));
    version.refreshed = !nulls[kRefreshedAt - 1];
    version.items_at = DatumGetTimestampTz(value(version.refreshed ? kRefreshedAt : kTrainedAt));
    copy_name(&version.user_column, value(kUserColumn), false);
    copy_name(&version.item_column, value(kItemColumn), false);
    copy_name(&version.rating_column, value(kRatingColumn), nulls[kRatingColumn - 1]);
    copy_name(&version.time_column, value(kTimeColumn), nulls[kTimeColumn - 1]);
    version.tenant = tenant_unsafe(*name, nulls[kTenantColumn - 1] ? nullptr : DatumGetName(value(kTenantColumn)),
                                   nulls[kTenant - 1] ? nullptr : TextDatumGetCString(value(kTenant)));
    if (!nulls[kItemFeatures - 1]) version.features.items = DatumGetObjectId(value(kItemFeatures));
    if (!nulls[kUserFeatures - 1]) version.features.users = DatumGetObjectId(value(kUserFeatures));
    version.user_type = DatumGetObjectId(value(kUserType));
    version.item_type = DatumGetObjectId(value(kItemType));
    const char* feedback = TextDatumGetCString(value(kFeedback));
    version.implicit = strcmp(feedback, "implicit") == 0;
    if (!version.implicit && strcmp(feedback, "explicit") != 0)
        raise_damaged_unsafe(*name, psprintf("Its feedback is \"%.100s\".", feedback));
    strlcpy(NameStr(version.algorithm), TextDatumGetCString(value(kAlgorithm)), NAMEDATALEN);
    version.users = DatumGetInt64(value(kUsers));
    version.items = DatumGetInt64(value(kItems));
    version.parameters = DatumGetJsonbPCopy(value(kParameters));
    return version;
}

void model_key_unsafe(ScanKey key, const char* name) {
    ScanKeyEntryInitialize(key, 0, kModel, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID, F_TEXTEQ,
                           CStringGetTextDatum(name));
}

/// The live version, or a certain one, under the active snapshot.
FoundVersion find_unsafe(const Catalog& catalog, const char* name, std::optional<std::int32_t> version = std::nullopt) {
    FoundVersion result{};
    Relation models = table_open(catalog.models, AccessShareLock);
    ScanKeyData keys[2];
    model_key_unsafe(&keys[0], name);
    if (version) ScanKeyInit(&keys[1], kVersion, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(*version));
    SysScanDesc scan = systable_beginscan(models, version ? catalog.models_version_index : catalog.models_live_index,
                                          true, GetActiveSnapshot(), version ? 2 : 1, keys);
    HeapTuple tuple = systable_getnext(scan);
    if (HeapTupleIsValid(tuple)) {
        result.found = true;
        result.version = version_of_tuple_unsafe(tuple, RelationGetDescr(models), &result.name);
    }
    systable_endscan(scan);
    table_close(models, AccessShareLock);
    return result;
}

/// As a snapshot taken now sees it.
FoundVersion find_live_now(const Catalog& catalog, const std::string& name) {
    return pg_call([&catalog, name = name.c_str()] {
        PushActiveSnapshot(GetTransactionSnapshot());
        const FoundVersion found = find_unsafe(catalog, name);
        PopActiveSnapshot();
        return found;
    });
}

/// take(row, descriptor) of the row of a version; false if the snapshot shows none.
template <class Take>
bool with_row_unsafe(const Catalog& catalog, Relation models, std::int64_t model_id, Snapshot snapshot,
                     const Take& take) {
    ScanKeyData key;
    ScanKeyInit(&key, kModelId, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(model_id));
    SysScanDesc scan = systable_beginscan(models, catalog.models_index, true, snapshot, 1, &key);
    HeapTuple tuple = systable_getnext(scan);
    const bool found = HeapTupleIsValid(tuple);
    if (found) take(tuple, RelationGetDescr(models));
    systable_endscan(scan);
    return found;
}

/// Receives the name and the row of a version; may throw.
using VersionSink = std::function<void(const char*, const ModelVersion&)>;

/// Scans the rows of one model or of all, in the order of an index that begins with the name, as a snapshot taken now
/// sees them.
void scan_now(const Catalog& catalog, Oid index, const char* name, const VersionSink& sink) {
    ExceptionHolder exception;
    pg_call([&catalog, index, name, sink = &sink, exception = &exception] {
        PushActiveSnapshot(GetTransactionSnapshot());
        Relation models = table_open(catalog.models, AccessShareLock);
        ScanKeyData key;
        if (name != nullptr) model_key_unsafe(&key, name);
        SysScanDesc scan = systable_beginscan(models, index, true, GetActiveSnapshot(), name != nullptr ? 1 : 0, &key);
        for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple); tuple = systable_getnext(scan)) {
            const char* row_name;
            const ModelVersion version = version_of_tuple_unsafe(tuple, RelationGetDescr(models), &row_name);
            if (!exception->run([&] { (*sink)(row_name, version); })) break;
        }
        systable_endscan(scan);
        table_close(models, AccessShareLock);
        PopActiveSnapshot();
    });
    exception.rethrow();
}

/// Names of models, as a list for a message.
struct ModelList {
    int count;
    const char* first;
    StringInfoData text;

    void clear_unsafe() {
        count = 0;
        first = nullptr;
        initStringInfo(&text);
    }
    void add_unsafe(const char* name) {
        constexpr int kMostShown = 20;
        if (count++ == 0) first = name;
        // As a call would name it.
        if (count <= kMostShown) appendStringInfo(&text, "%s%s", count > 1 ? ", " : "", quote_literal_cstr(name));
        if (count == kMostShown + 1) appendStringInfoString(&text, ", and more");
    }
};

/// The live models that the caller may use, and those of them that are closest to the caller.
struct UsableModels {
    ModelList all;
    ModelList closest;
};

UsableModels usable_models_unsafe(const Catalog& catalog) {
    UsableModels result;
    result.all.clear_unsafe();
    result.closest.clear_unsafe();
    Standing best = Standing::Public;
    Relation models = table_open(catalog.models, AccessShareLock);
    SysScanDesc scan = systable_beginscan(models, catalog.models_live_index, true, GetActiveSnapshot(), 0, nullptr);
    for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple); tuple = systable_getnext(scan)) {
        const char* name;
        const ModelVersion version = version_of_tuple_unsafe(tuple, RelationGetDescr(models), &name);
        const Standing standing = standing_unsafe(catalog, name, version.owner);
        if (standing == Standing::None) continue;
        result.all.add_unsafe(name);
        if (standing > best) result.closest.clear_unsafe();
        best = std::max(best, standing);
        if (standing == best) result.closest.add_unsafe(name);
    }
    systable_endscan(scan);
    table_close(models, AccessShareLock);
    return result;
}

std::string caller_name() {
    return pg_call([] { return GetUserNameFromId(GetUserId(), false); });
}

/// On a worker of a cluster, where its models come from; empty elsewhere.
std::string how_to_get_copies() {
    if (!citus_is_loaded() || !pg_call([] { return on_citus_worker_unsafe(); })) return "";
    return "This server is a worker of a Citus cluster: on the coordinator, SELECT mf_distribute_model('...') copies a "
           "model to all nodes.";
}

/// The hint where the caller may use no model.
std::string how_to_get_a_model() {
    if (const std::string copies = how_to_get_copies(); !copies.empty()) return copies;
    return "Train one with SELECT * FROM mf_train('...'), or ask the owner of a model for SELECT mf_grant('...', " +
           quoted_literal(caller_name()) + ").";
}

std::string models_hint(const Catalog& catalog) {
    const UsableModels usable = pg_call([&catalog] { return usable_models_unsafe(catalog); });
    if (usable.all.count == 0) return how_to_get_a_model();
    const std::string copies = how_to_get_copies();
    return std::string("Models you may use: ") + usable.all.text.data + "." + (copies.empty() ? "" : " ") + copies;
}

std::string model_to_use(const Catalog& catalog, const char* name) {
    if (name != nullptr) return name;
    if (*setting_default_model() != '\0') return setting_default_model();
    const UsableModels usable = pg_call([&catalog] { return usable_models_unsafe(catalog); });
    if (usable.closest.count == 1) return usable.closest.first;
    const std::string user = caller_name();
    if (usable.all.count == 0)
        throw SqlError(ERRCODE_UNDEFINED_OBJECT, "there is no model that role \"" + user + "\" may use", "",
                       how_to_get_a_model());
    throw SqlError(ERRCODE_AMBIGUOUS_PARAMETER, "more than one model can be meant",
                   std::string("Models you may use: ") + usable.all.text.data + ".",
                   std::string("Pass model => '...', or choose one for all calls: ALTER ROLE ") + quoted_name(user) +
                       " SET mf_ext.default_model = '...';");
}

}  // namespace

ModelVersion find_model(const Catalog& catalog, const char* name, std::string* found_name, Access access) {
    *found_name = model_to_use(catalog, name);
    const char* wanted = found_name->c_str();
    const FoundVersion model = pg_call([&catalog, wanted] { return find_unsafe(catalog, wanted); });
    if (!model.found) throw_no_such_model(catalog, *found_name);
    require_access(catalog, *found_name, model.version.owner, access);
    require_owner_exists(*found_name, model.version.owner);
    return model.version;
}

ModelVersion find_version(const Catalog& catalog, const char* name, std::optional<std::int64_t> version,
                          std::string* found_name) {
    const ModelVersion live = find_model(catalog, name, found_name);
    if (!version || *version == live.version) return live;
    if (*version < 1 || *version > std::numeric_limits<std::int32_t>::max())
        throw_no_such_version(*found_name, *version);
    const FoundVersion found =
        pg_call([&catalog, wanted = found_name->c_str(), number = static_cast<std::int32_t>(*version)] {
            return find_unsafe(catalog, wanted, number);
        });
    if (!found.found) throw_no_such_version(*found_name, *version);
    return found.version;
}

std::optional<Oid> find_owner(const Catalog& catalog, const std::string& name) {
    const FoundVersion found = find_live_now(catalog, name);
    return found.found ? std::optional<Oid>(found.version.owner) : std::nullopt;
}

std::optional<FormerVersion> find_former_version(const Catalog& catalog, const std::string& name) {
    const FoundVersion found = find_live_now(catalog, name);
    if (!found.found) return std::nullopt;
    const ModelVersion& version = found.version;
    return FormerVersion{version.source, version.tenant, version.user_type, version.item_type};
}

std::vector<std::string> managed_models(const Catalog& catalog) {
    std::vector<std::string> names;
    scan_now(catalog, catalog.models_live_index, nullptr,
             [&catalog, &names](const char* name, const ModelVersion& version) {
                 if (pg_call([&catalog, owner = version.owner] { return may_manage_unsafe(catalog, owner); }))
                     names.push_back(name);
             });
    return names;
}

bool manages_all(const Catalog& catalog, const std::string& prefix) {
    bool all = true;
    scan_now(catalog, catalog.models_live_index, nullptr,
             [&catalog, &prefix, &all](const char* name, const ModelVersion& version) {
                 if (all && std::string_view(name).starts_with(prefix))
                     all = pg_call([&catalog, owner = version.owner] { return may_manage_unsafe(catalog, owner); });
             });
    return all;
}

std::vector<VersionRow> versions_of(const Catalog& catalog, const std::string& name) {
    std::vector<VersionRow> versions;
    scan_now(catalog, catalog.models_version_index, name.c_str(),
             [&versions](const char*, const ModelVersion& version) {
                 versions.push_back({version.model_id, version.version, version.user_type});
             });
    return versions;
}

bool changed_since_snapshot_unsafe(const Catalog& catalog, const char* name) {
    Relation models = table_open(catalog.models, AccessShareLock);
    ScanKeyData then_key;  // a key for each scan: the start of a scan changes it
    ScanKeyData now_key;
    model_key_unsafe(&then_key, name);
    model_key_unsafe(&now_key, name);
    Snapshot then = RegisterSnapshot(GetTransactionSnapshot());
    Snapshot now = RegisterSnapshot(GetLatestSnapshot());
    SysScanDesc then_scan = systable_beginscan(models, catalog.models_version_index, true, then, 1, &then_key);
    SysScanDesc now_scan = systable_beginscan(models, catalog.models_version_index, true, now, 1, &now_key);
    bool same = true;
    for (bool more = true; same && more;) {
        const HeapTuple old_row = systable_getnext(then_scan);
        const HeapTuple new_row = systable_getnext(now_scan);
        more = HeapTupleIsValid(old_row) && HeapTupleIsValid(new_row);
        // An update stores a new row at another position.
        same = more ? ItemPointerEquals(&old_row->t_self, &new_row->t_self) != 0
                    : HeapTupleIsValid(old_row) == HeapTupleIsValid(new_row);
    }
    systable_endscan(now_scan);
    systable_endscan(then_scan);
    UnregisterSnapshot(now);
    UnregisterSnapshot(then);
    table_close(models, AccessShareLock);
    return !same;
}

void throw_no_such_model(const Catalog& catalog, const std::string& name) {
    throw SqlError(ERRCODE_UNDEFINED_OBJECT, "model \"" + name + "\" does not exist", "", models_hint(catalog));
}

void throw_no_such_version(const std::string& model, std::int64_t version) {
    throw SqlError(ERRCODE_UNDEFINED_OBJECT, "model \"" + model + "\" has no version " + std::to_string(version), "",
                   "Versions are listed in mf_models.");
}

TimestampTz items_published_unsafe(const Catalog& catalog, std::int64_t model_id) {
    Relation models = try_relation_open(catalog.models, AccessShareLock);
    if (models == nullptr) return 0;
    Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
    TimestampTz published = 0;
    with_row_unsafe(catalog, models, model_id, snapshot, [&published](HeapTuple tuple, TupleDesc desc) {
        bool null;
        Datum time = heap_getattr(tuple, kRefreshedAt, desc, &null);
        if (null) time = heap_getattr(tuple, kTrainedAt, desc, &null);
        published = null ? 0 : DatumGetTimestampTz(time);
    });
    UnregisterSnapshot(snapshot);
    relation_close(models, AccessShareLock);
    return published;
}

ModelLabel label_of_version_unsafe(const Catalog& catalog, std::int64_t model_id) {
    ModelLabel label{nullptr, InvalidOid, 0};
    Relation models = table_open(catalog.models, AccessShareLock);
    with_row_unsafe(catalog, models, model_id, GetActiveSnapshot(), [&label](HeapTuple tuple, TupleDesc desc) {
        bool null;
        label.name = TextDatumGetCString(heap_getattr(tuple, kModel, desc, &null));
        label.owner = DatumGetObjectId(heap_getattr(tuple, kOwner, desc, &null));
        label.version = DatumGetInt32(heap_getattr(tuple, kVersion, desc, &null));
    });
    table_close(models, AccessShareLock);
    return label;
}

}  // namespace mf::pg
