// mf_distribute_model
#include "pg/lifecycle/model_copies.hpp"
#include "pg/models/model_locks.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/sql/citus.hpp"
#include "pg/wall/boundary.hpp"

namespace mf::pg {

MF_FUNCTION(mf_distribute_model) {
    struct Arguments {
        Catalog catalog;
        const char* model;
    };
    const auto arguments = pg_call([fcinfo] {
        PreventCommandIfReadOnly("mf_distribute_model()");
        return Arguments{catalog_unsafe(fcinfo), text_argument_unsafe(fcinfo, 0)};
    });
    require_model_name(arguments.model);
    if (!citus_is_loaded() || !pg_call([] { return is_citus_database_unsafe(); }))
        throw SqlError(ERRCODE_FEATURE_NOT_SUPPORTED, "this database is not distributed",
                       "mf_distribute_model copies a model to the nodes of a Citus cluster, and Citus is not here.",
                       "One server needs no copies.");
    const std::string model = arguments.model;
    lock_own_model(arguments.catalog, model, false);
    create_copies(arguments.catalog);
    copy_model(arguments.catalog, model);
    return Datum{0};
}

}  // namespace mf::pg
