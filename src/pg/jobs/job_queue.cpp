#include "pg/jobs/job_queue.hpp"

#include "pg/jobs/job_row.hpp"
#include "pg/jobs/jobs.hpp"
#include "pg/wall/guard.hpp"

namespace mf::pg {
namespace {

/// Of a transaction that begins or ends a job. Whatever it waited for, its statements see what was committed meanwhile,
/// since transactions of workers are READ COMMITTED.
void lock_queue_unsafe() { lock_job_unsafe(0, false); }

/// The job of the model that runs, 0 if none does. Rows of workers that are gone say so, too.
std::int64_t running_job_unsafe(const Catalog& catalog, const char* sql, std::int64_t job_id) {
    const Parameter parameter = int8_parameter(job_id);
    std::int64_t running = 0;
    execute_unsafe(relation_owner_unsafe(catalog.models), {sql, 1, &parameter},
                   [&running](std::uint64_t rows, const SPITupleTable* table) {
                       for (std::uint64_t row = 0; row < rows && running == 0; ++row) {
                           const std::int64_t other =
                               DatumGetInt64(column_unsafe(table->vals[row], table->tupdesc, 1).value);
                           if (job_is_locked_unsafe(other)) running = other;
                       }
                   });
    return running;
}

JobTask task_named_unsafe(const char* name) {
    if (strcmp(name, "train") == 0) return JobTask::Train;
    if (strcmp(name, "retrain") == 0) return JobTask::Retrain;
    if (strcmp(name, "refresh") == 0) return JobTask::Refresh;
    ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("the job's row is damaged"),
                    errdetail("There is no task \"%s\".", name), errhint("Start the job again.")));
    pg_unreachable();
}

/// Arguments of mf_train in their order, as the statement of begin_job gives them, and the rest of the job.
Job read_job_unsafe(HeapTuple tuple, TupleDesc desc) {
    LOCAL_FCINFO(arguments, kTrainArguments);
    InitFunctionCallInfoData(*arguments, nullptr, kTrainArguments, InvalidOid, nullptr, nullptr);
    for (int i = 0; i < kTrainArguments; ++i) arguments->args[i] = column_unsafe(tuple, desc, i + 1);
    const NullableDatum min_interactions = column_unsafe(tuple, desc, kTrainArguments + 2);
    return {TextDatumGetCString(arguments->args[1].value),
            task_named_unsafe(TextDatumGetCString(column_unsafe(tuple, desc, kTrainArguments + 1).value)),
            read_train_arguments_unsafe(arguments), min_interactions.isnull ? 1 : DatumGetInt64(min_interactions.value),
            DatumGetJsonbP(column_unsafe(tuple, desc, kTrainArguments + 3).value)};
}

}  // namespace

std::optional<Job> begin_job(const Catalog& catalog, std::int64_t job_id) {
    const std::string find = with_table_names(
        catalog,
        "SELECT other.job_id FROM {jobs} AS job JOIN {jobs} AS other ON other.model = job.model"
        " WHERE job.job_id = $1 AND other.job_id <> $1 AND other.status = 'running' ORDER BY other.job_id DESC");
    // Those behind the job that this one was behind, which are of the same model.
    const std::string move_others =
        with_table_names(catalog,
                         "UPDATE {jobs} AS waiting SET behind = $2 FROM {jobs} AS job WHERE job.job_id = $1"
                         " AND waiting.behind = job.behind AND waiting.job_id <> $1 AND waiting.status = 'queued'");
    const std::string put_behind =
        with_table_names(catalog, "UPDATE {jobs} SET behind = $2 WHERE job_id = $1 AND status = 'queued'");
    const std::string begin = with_table_names(
        catalog,
        "UPDATE {jobs} SET status = 'running', started_at = clock_timestamp(), pid = pg_backend_pid()"
        " WHERE job_id = $1 AND status = 'queued' RETURNING source, model, (arguments->>'user_column')::name,"
        " (arguments->>'item_column')::name, (arguments->>'rating_column')::name, arguments->>'feedback',"
        " arguments->>'algorithm', (arguments->>'factors')::int4, (arguments->>'iterations')::int4,"
        " (arguments->>'regularization')::float8, (arguments->>'test_fraction')::float8, (arguments->>'seed')::int8,"
        " arguments->'options', task, (arguments->>'min_interactions')::int8, settings");
    Job job{};
    const bool begun = pg_call([&catalog, &job, job_id, find = find.c_str(), begin = begin.c_str(),
                                move_others = move_others.c_str(), put_behind = put_behind.c_str()] {
        lock_queue_unsafe();
        const std::int64_t running = running_job_unsafe(catalog, find, job_id);
        // A job that was cancelled at this moment leaves those that wait with it where they are.
        const bool is_next =
            running == 0 && take_job_unsafe(catalog, begin, job_id,
                                            [&job](HeapTuple t, TupleDesc desc) { job = read_job_unsafe(t, desc); });
        if (running == 0 && !is_next) return false;
        const Parameter numbers[] = {int8_parameter(job_id), int8_parameter(is_next ? job_id : running)};
        run_statement_unsafe(catalog, move_others, lengthof(numbers), numbers);
        if (!is_next) run_statement_unsafe(catalog, put_behind, lengthof(numbers), numbers);
        return is_next;
    });
    return begun ? std::optional<Job>(job) : std::nullopt;
}

void end_job_done(const Catalog& catalog, std::int64_t job_id, std::int32_t version, const char* message) {
    const std::string sql = with_table_names(
        catalog,
        "UPDATE {jobs} SET status = 'done', finished_at = clock_timestamp(), version = $2, message = $3"
        " WHERE job_id = $1");
    pg_call([&catalog, job_id, version, message, sql = sql.c_str()] {
        lock_queue_unsafe();
        const Parameter values[] = {int8_parameter(job_id), int4_parameter(version),
                                    message != nullptr ? text_parameter_unsafe(message) : null_parameter(TEXTOID)};
        run_statement_unsafe(catalog, sql, lengthof(values), values);
    });
}

void end_job_failed(const Catalog& catalog, std::int64_t job_id, bool cancelled, const char* message) {
    const std::string sql = with_table_names(
        catalog,
        "UPDATE {jobs} SET status = $2, finished_at = clock_timestamp(), message = $3 WHERE job_id = $1 AND"
        " finished_at IS NULL");
    pg_call([&catalog, job_id, cancelled, message, sql = sql.c_str()] {
        lock_queue_unsafe();
        const Parameter values[] = {int8_parameter(job_id), text_parameter_unsafe(cancelled ? "cancelled" : "failed"),
                                    text_parameter_unsafe(message)};
        run_statement_unsafe(catalog, sql, lengthof(values), values);
    });
}

std::optional<WaitingJob> job_behind(const Catalog& catalog, std::int64_t job_id) {
    const std::string sql = with_table_names(catalog,
                                             "SELECT job_id, session_role, owner FROM {jobs} WHERE behind = $1"
                                             " AND status = 'queued' ORDER BY job_id LIMIT 1");
    WaitingJob job{};
    const bool found = pg_call([&catalog, &job, job_id, sql = sql.c_str()] {
        return take_job_unsafe(catalog, sql, job_id, [&job](HeapTuple tuple, TupleDesc desc) {
            job = {DatumGetInt64(column_unsafe(tuple, desc, 1).value),
                   DatumGetObjectId(column_unsafe(tuple, desc, 2).value),
                   DatumGetObjectId(column_unsafe(tuple, desc, 3).value)};
        });
    });
    return found ? std::optional<WaitingJob>(job) : std::nullopt;
}

bool waits_behind(const Catalog& catalog, std::int64_t waiting, std::int64_t job_id) {
    const std::string sql =
        with_table_names(catalog, "SELECT FROM {jobs} WHERE job_id = $1 AND behind = $2 AND status = 'queued'");
    return pg_call([&catalog, waiting, job_id, sql = sql.c_str()] {
        const Parameter numbers[] = {int8_parameter(waiting), int8_parameter(job_id)};
        return run_statement_unsafe(catalog, sql, lengthof(numbers), numbers).rows > 0;
    });
}

}  // namespace mf::pg
