// mf_refresh_items, mf_refresh_items_async
#include "pg/jobs/job_start.hpp"
#include "pg/jobs/jobs.hpp"
#include "pg/models/model_rows.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/sql/citus.hpp"
#include "pg/sql/results.hpp"
#include "pg/training/refresh.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/environment.hpp"

namespace mf::pg {
namespace {

struct Arguments {
    Catalog catalog;
    const char* model;
    std::uint32_t min_interactions;
};

Arguments refresh_arguments(FunctionCallInfo fcinfo, const char* command) {
    struct Raw {
        Catalog catalog;
        const char* model;
        bool null;
        std::int64_t min_interactions;
    };
    const Raw raw = pg_call([fcinfo, command] {
        PreventCommandIfReadOnly(command);
        PreventCommandIfParallelMode(command);
        const bool null = PG_ARGISNULL(1);
        return Raw{catalog_unsafe(fcinfo), text_argument_unsafe(fcinfo, 0), null, null ? 0 : PG_GETARG_INT64(1)};
    });
    require_model_name(raw.model);
    require_coordinator();
    require_given(!raw.null, "min_interactions");
    return {raw.catalog, raw.model,
            at_least("min_interactions", 1, raw.min_interactions,
                     "An item without interactions cannot be solved from them.")};
}

}  // namespace

MF_FUNCTION(mf_refresh_items) {
    pg_call([fcinfo] { begin_rows_unsafe(fcinfo); });
    const Arguments arguments = refresh_arguments(fcinfo, "mf_refresh_items()");
    const RefreshOutcome outcome = refresh_items(arguments.catalog, arguments.model, arguments.min_interactions);
    if (outcome.removed_items > 0)
        report(NOTICE, "removed " + std::to_string(outcome.removed_items) +
                           (outcome.removed_items == 1 ? " item" : " items") + " without interactions from model \"" +
                           arguments.model + "\"");
    pg_call([fcinfo, &outcome] {
        put_row_unsafe(fcinfo,
                       {Int64GetDatum(static_cast<std::int64_t>(outcome.new_items)),
                        Int64GetDatum(static_cast<std::int64_t>(outcome.updated_items))},
                       {outcome.seconds});
    });
    return Datum{0};
}

MF_FUNCTION(mf_refresh_items_async) {
    const Arguments arguments = refresh_arguments(fcinfo, "mf_refresh_items_async()");
    std::string found;
    const ModelVersion version = find_model(arguments.catalog, arguments.model, &found, Access::Manage);
    source_to_refresh(found, version);  // what is wrong now shall be said now
    const std::int64_t job_id = add_refresh_job(arguments.catalog, found, version.source, arguments.min_interactions);
    start_job_at_commit(job_id, fcinfo->flinfo->fn_oid);
    return pg_call([job_id] { return Int64GetDatum(job_id); });
}

}  // namespace mf::pg
