#include "pg/jobs/jobs.hpp"

#include <signal.h>

#include "pg/jobs/job_row.hpp"
#include "pg/models/privileges.hpp"
#include "pg/training/train_arguments.hpp"
#include "pg/wall/guc.hpp"

extern "C" {
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/json.h"
}

namespace mf::pg {
namespace {

/// Jobs that are kept of each model. There are never so many workers, so that the older ones have ended somehow.
constexpr int kKeptJobs = 100;

/// What a session has set for itself, or a client for it, that is not passed on: who it is and how its transactions
/// are, and limits of time, which are for a person who waits.
constexpr const char* kOwnSettings[] = {"role",
                                        "session_authorization",
                                        "client_encoding",
                                        "application_name",
                                        "client_min_messages",
                                        "statement_timeout",
                                        "lock_timeout",
                                        "idle_in_transaction_session_timeout",
                                        "idle_session_timeout",
                                        "transaction_timeout",
                                        "transaction_isolation",
                                        "transaction_read_only",
                                        "transaction_deferrable",
                                        "default_transaction_isolation",
                                        "default_transaction_read_only",
                                        "default_transaction_deferrable"};

/// The rest goes along, custom settings included: policies and views may look at them.
Datum settings_unsafe() {
    StringInfoData json;
    initStringInfo(&json);
    appendStringInfoChar(&json, '{');
    for_each_setting_unsafe([&json](const config_generic* setting) {
        const bool by_session = setting->source == PGC_S_SESSION || setting->source == PGC_S_CLIENT;
        if (!by_session || setting->context != PGC_USERSET) return;
        for (const char* own : kOwnSettings)
            if (strcmp(setting->name, own) == 0) return;
        if (json.len > 1) appendStringInfoString(&json, ", ");
        escape_json(&json, setting->name);
        appendStringInfoString(&json, ": ");
        escape_json(&json, GetConfigOption(setting->name, false, false));
    });
    appendStringInfoChar(&json, '}');
    return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

LOCKTAG lock_tag(std::int64_t job_id) {
    // Advisory locks of users have 1 or 2 in the last field.
    constexpr std::uint16_t kJobLocks = 7;
    LOCKTAG tag;
    SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, static_cast<std::uint32_t>(job_id >> 32),
                         static_cast<std::uint32_t>(job_id), kJobLocks);
    return tag;
}

/// What a row of the job table says of how far the job is.
struct JobState {
    std::int64_t job_id;
    Oid owner;
    TimestampTz queued_at;
    bool finished;
    bool queued;
    bool is_behind;       ///< another job, if it is queued
    std::int64_t before;  ///< that job
};

/// take(JobState) for each row that the snapshot shows.
template <class Take>
void scan_jobs_unsafe(const Catalog& catalog, Snapshot snapshot, const Take& take) {
    Relation jobs = table_open(catalog.jobs, AccessShareLock);
    constexpr const char* kNames[] = {"job_id", "owner", "queued_at", "finished_at", "status", "behind"};
    AttrNumber numbers[lengthof(kNames)];
    for (std::size_t i = 0; i < lengthof(kNames); ++i) numbers[i] = get_attnum(catalog.jobs, kNames[i]);
    SysScanDesc scan = systable_beginscan(jobs, InvalidOid, false, snapshot, 0, nullptr);
    for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple); tuple = systable_getnext(scan)) {
        NullableDatum columns[lengthof(kNames)];
        for (std::size_t i = 0; i < lengthof(kNames); ++i)
            columns[i].value = heap_getattr(tuple, numbers[i], RelationGetDescr(jobs), &columns[i].isnull);
        const bool queued = strcmp(TextDatumGetCString(columns[4].value), "queued") == 0;
        take(JobState{DatumGetInt64(columns[0].value), DatumGetObjectId(columns[1].value),
                      DatumGetTimestampTz(columns[2].value), !columns[3].isnull, queued, queued && !columns[5].isnull,
                      DatumGetInt64(columns[5].value)});
    }
    systable_endscan(scan);
    table_close(jobs, AccessShareLock);
}

bool waits_for_a_worker_unsafe(const JobState& job) { return job.is_behind && job_is_locked_unsafe(job.before); }

/// Jobs of the role that wait or run, those of transactions under way among them. What a lost worker has left does not
/// count, neither its job nor those behind it; a new one needs a moment to come (the view mf_jobs has the same rule).
int unfinished_jobs_unsafe(const Catalog& catalog, Oid owner) {
    constexpr std::int64_t kMoment = 30 * USECS_PER_SEC;
    const TimestampTz now = GetCurrentTimestamp();
    SnapshotData dirty;
    InitDirtySnapshot(dirty);
    int count = 0;
    scan_jobs_unsafe(catalog, &dirty, [&count, owner, now](const JobState& job) {
        if (job.finished || job.owner != owner) return;
        const bool is_new = job.queued && now - job.queued_at < kMoment;
        if (is_new || job_is_locked_unsafe(job.job_id) || waits_for_a_worker_unsafe(job)) ++count;
    });
    return count;
}

/// Throws configuration_limit_exceeded if the current role may have no job more.
void require_room_for_job(const Catalog& catalog) {
    const int count = pg_call([&catalog] { return unfinished_jobs_unsafe(catalog, GetUserId()); });
    if (count < setting_max_jobs()) return;
    throw SqlError(
        ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
        std::string("role \"") + pg_call([] { return GetUserNameFromId(GetUserId(), false); }) + "\" has " +
            std::to_string(count) + " jobs that wait or run, mf_ext.max_jobs is " + std::to_string(setting_max_jobs()),
        "Each running job takes one of max_worker_processes, which the whole server shares.",
        "Wait until one has ended, or cancel one with mf_cancel_job (mf_jobs lists them). A superuser can raise "
        "mf_ext.max_jobs.");
}

/// What a job does, as its row says it; exactly one of them has arguments.
struct NewJob {
    const char* task;
    const char* model;
    Oid source;
    FunctionCallInfo training = nullptr;  ///< arguments of mf_train
    std::uint32_t min_interactions = 0;   ///< of mf_refresh_items
    // Relations of features: qualified, whatever the search_path is when the job runs; null: none.
    const char* item_features = nullptr;
    const char* user_features = nullptr;
};

std::int64_t add_job(const Catalog& catalog, const NewJob& job) {
    require_room_for_job(catalog);
    const std::string insert = with_table_names(
        catalog,
        "INSERT INTO {jobs} (job_id, model, owner, session_role, source, task, arguments, settings, status,"
        " queued_at)"
        " VALUES ($1, $2, $3, $18, $4, $5, CASE $5 WHEN 'train' THEN jsonb_strip_nulls(jsonb_build_object("
        "'user_column', $7::name, 'item_column', $8::name, 'rating_column', $9::name, 'feedback', $10::text,"
        " 'algorithm', $11::text, 'factors', $12::int4, 'iterations', $13::int4, 'regularization', $14::float8,"
        " 'test_fraction', $15::float8, 'seed', $16::int8)) || jsonb_build_object('options',"
        " $17::jsonb || jsonb_strip_nulls(jsonb_build_object('item_features', $20::text, 'user_features', $21::text)))"
        " WHEN 'refresh' THEN jsonb_build_object('min_interactions', $19::int8) ELSE '{}' END,"
        " $6, 'queued', clock_timestamp())");
    const std::string expire = with_table_names(
        catalog,
        "DELETE FROM {jobs} WHERE model = $1 AND status <> 'queued' AND job_id NOT IN (SELECT job_id FROM {jobs}"
        " WHERE model = $1 ORDER BY job_id DESC LIMIT $2)");
    return pg_call([&catalog, &job, insert = insert.c_str(), expire = expire.c_str()] {
        const std::int64_t job_id = nextval_internal(catalog.jobs_sequence, false);
        constexpr Oid kTypes[kTrainArguments] = {REGCLASSOID, TEXTOID, NAMEOID,   NAMEOID,   NAMEOID, TEXTOID, TEXTOID,
                                                 INT4OID,     INT4OID, FLOAT8OID, FLOAT8OID, INT8OID, JSONBOID};
        Parameter values[21] = {int8_parameter(job_id),          text_parameter_unsafe(job.model),
                                role_parameter(GetUserId()),     {REGCLASSOID, ObjectIdGetDatum(job.source), false},
                                text_parameter_unsafe(job.task), {JSONBOID, settings_unsafe(), false}};
        for (int i = 2; i < kTrainArguments; ++i) {
            const bool null = job.training == nullptr || job.training->args[i].isnull;
            values[i + 4] = {kTypes[i], null ? Datum{0} : job.training->args[i].value, null};
        }
        values[17] = role_parameter(GetSessionUserId());
        values[18] = int8_parameter(job.min_interactions);
        values[19] = text_parameter_unsafe(job.item_features);
        values[20] = text_parameter_unsafe(job.user_features);
        run_statement_unsafe(catalog, insert, lengthof(values), values);
        const Parameter bounds[] = {values[1], int4_parameter(kKeptJobs)};
        run_statement_unsafe(catalog, expire, lengthof(bounds), bounds);
        return job_id;
    });
}

}  // namespace

std::int64_t add_training_job(const Catalog& catalog, const TrainArguments& checked, FunctionCallInfo arguments) {
    const auto name_of = [](const std::optional<FeatureRelation>& features) {
        return features ? features->name.c_str() : nullptr;
    };
    return add_job(catalog, {"train", checked.model.c_str(), checked.source.relation, arguments, 0,
                             name_of(checked.item_features), name_of(checked.user_features)});
}

std::int64_t add_retraining_job(const Catalog& catalog, const std::string& model, Oid source) {
    return add_job(catalog, {"retrain", model.c_str(), source});
}

std::int64_t add_refresh_job(const Catalog& catalog, const std::string& model, Oid source,
                             std::uint32_t min_interactions) {
    return add_job(catalog, {"refresh", model.c_str(), source, nullptr, min_interactions});
}

void lock_job_unsafe(std::int64_t job_id, bool for_session) {
    const LOCKTAG tag = lock_tag(job_id);
    LockAcquire(&tag, ExclusiveLock, for_session, false);
}

bool job_is_locked_unsafe(std::int64_t job_id) {
    const LOCKTAG tag = lock_tag(job_id);
    if (LockAcquire(&tag, ShareLock, false, true) == LOCKACQUIRE_NOT_AVAIL) return true;
    LockRelease(&tag, ShareLock, false);
    return false;
}

bool job_is_alive_unsafe(const Catalog& catalog, std::int64_t job_id) {
    // Twice: the job may begin between the look at its lock and that at its row.
    for (int look = 0; look < 2; ++look) {
        if (job_is_locked_unsafe(job_id)) return true;
        bool lost = false;
        Snapshot latest = RegisterSnapshot(GetLatestSnapshot());
        scan_jobs_unsafe(catalog, latest, [&lost, job_id](const JobState& job) {
            if (job.job_id == job_id) lost = !job.finished && !waits_for_a_worker_unsafe(job);
        });
        UnregisterSnapshot(latest);
        if (!lost) return true;
    }
    return false;
}

bool cancel_job(const Catalog& catalog, std::int64_t job_id) {
    const std::string find = with_table_names(catalog, "SELECT owner, status, pid FROM {jobs} WHERE job_id = $1");
    const std::string cancel = with_table_names(
        catalog,
        "UPDATE {jobs} SET status = 'cancelled', finished_at = clock_timestamp(), message = 'cancelled before it"
        " began' WHERE job_id = $1 AND status = 'queued'");
    Oid owner = InvalidOid;
    const auto look = [&](bool* running, int* pid) {
        return pg_call([&catalog, &owner, job_id, running, pid, find = find.c_str()] {
            return take_job_unsafe(catalog, find, job_id, [&owner, running, pid](HeapTuple tuple, TupleDesc desc) {
                owner = DatumGetObjectId(column_unsafe(tuple, desc, 1).value);
                *running = strcmp(TextDatumGetCString(column_unsafe(tuple, desc, 2).value), "running") == 0;
                *pid = DatumGetInt32(column_unsafe(tuple, desc, 3).value);
            });
        });
    };
    bool running = false;
    int pid = 0;
    if (!look(&running, &pid))
        throw SqlError(ERRCODE_UNDEFINED_OBJECT, "job " + std::to_string(job_id) + " does not exist", "",
                       "Jobs are listed in mf_jobs.");
    if (!pg_call([&catalog, &owner] { return may_manage_unsafe(catalog, owner); }))
        throw SqlError(ERRCODE_INSUFFICIENT_PRIVILEGE, "permission denied for job " + std::to_string(job_id), "",
                       "A job may be cancelled by the role that asked for it and by members of that role.");
    const bool was_queued = !running && pg_call([&catalog, job_id, cancel = cancel.c_str()] {
        const Parameter value = int8_parameter(job_id);
        return run_statement_unsafe(catalog, cancel, 1, &value).rows > 0;
    });
    if (was_queued) return true;
    // It may have begun between the two.
    if (!running) look(&running, &pid);
    if (!running) return false;
    // The lock tells whether the number is still that of the worker.
    return pg_call([job_id, pid] { return job_is_locked_unsafe(job_id) && kill(pid, SIGINT) == 0; });
}

}  // namespace mf::pg
