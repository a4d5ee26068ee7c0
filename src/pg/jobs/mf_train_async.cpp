// mf_train_async, mf_retrain_async, mf_cancel_job, mf_job_is_alive
#include "pg/jobs/job_start.hpp"
#include "pg/jobs/jobs.hpp"
#include "pg/models/model_locks.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/sql/citus.hpp"
#include "pg/training/retrain.hpp"
#include "pg/training/training.hpp"
#include "pg/wall/boundary.hpp"

namespace mf::pg {

MF_FUNCTION(mf_train_async) {
    const Catalog catalog = pg_call([fcinfo] {
        PreventCommandIfReadOnly("mf_train_async()");
        PreventCommandIfParallelMode("mf_train_async()");
        return catalog_unsafe(fcinfo);
    });
    require_coordinator();
    const RawTrainArguments raw = pg_call([fcinfo] { return read_train_arguments_unsafe(fcinfo); });
    // What is wrong now shall be said now.
    const TrainArguments arguments = check_train_arguments(raw);
    own_model(catalog, arguments.model);
    check_former(catalog, arguments);
    tell_of_former_source(catalog, arguments);
    advise(arguments);
    const std::int64_t job_id = add_training_job(catalog, arguments, fcinfo);
    start_job_at_commit(job_id, fcinfo->flinfo->fn_oid);
    return pg_call([job_id] { return Int64GetDatum(job_id); });
}

MF_FUNCTION(mf_retrain_async) {
    const Catalog catalog = pg_call([fcinfo] {
        PreventCommandIfReadOnly("mf_retrain_async()");
        PreventCommandIfParallelMode("mf_retrain_async()");
        return catalog_unsafe(fcinfo);
    });
    const char* name = pg_call([fcinfo] { return text_argument_unsafe(fcinfo, 0); });
    require_model_name(name);
    require_coordinator();
    std::string found;
    const ModelVersion version = find_model(catalog, name, &found, Access::Manage);
    retrain_arguments(found, version);
    const std::int64_t job_id = add_retraining_job(catalog, found, version.source);
    start_job_at_commit(job_id, fcinfo->flinfo->fn_oid);
    return pg_call([job_id] { return Int64GetDatum(job_id); });
}

MF_FUNCTION(mf_cancel_job) {
    struct Arguments {
        Catalog catalog;
        bool null;
        std::int64_t job_id;
    };
    const auto arguments = pg_call([fcinfo] {
        PreventCommandIfReadOnly("mf_cancel_job()");
        const bool null = PG_ARGISNULL(0);
        return Arguments{catalog_unsafe(fcinfo), null, null ? 0 : PG_GETARG_INT64(0)};
    });
    require_given(!arguments.null, "the number of a job");
    return BoolGetDatum(cancel_job(arguments.catalog, arguments.job_id));
}

MF_FUNCTION(mf_job_is_alive) {
    return pg_call([fcinfo] { return BoolGetDatum(job_is_alive_unsafe(catalog_unsafe(fcinfo), PG_GETARG_INT64(0))); });
}

}  // namespace mf::pg
