// mf_distribute_model, mf_undistribute_model
#include "pg/lifecycle/model_copies.hpp"
#include "pg/models/model_locks.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/sql/citus.hpp"
#include "pg/wall/boundary.hpp"

namespace mf::pg {
namespace {

/// Locks the model for the change of its copies.
void change(FunctionCallInfo fcinfo, const char* function, void (*make)(const Catalog&, const std::string&)) {
    struct Arguments {
        Catalog catalog;
        const char* model;
    };
    const auto arguments = pg_call([fcinfo, function] {
        PreventCommandIfReadOnly(function);
        return Arguments{catalog_unsafe(fcinfo), text_argument_unsafe(fcinfo, 0)};
    });
    require_model_name(arguments.model);
    if (!citus_is_loaded() || !pg_call([] { return is_citus_database_unsafe(); }))
        throw SqlError(ERRCODE_FEATURE_NOT_SUPPORTED, "this database is not distributed",
                       "The copies of models are for the nodes of a Citus cluster, and Citus is not here.",
                       "One server needs no copies.");
    lock_own_model(arguments.catalog, arguments.model, false);
    make(arguments.catalog, arguments.model);
}

void distribute(const Catalog& catalog, const std::string& model) {
    create_copies(catalog);
    copy_model(catalog, model);
}

}  // namespace

MF_FUNCTION(mf_distribute_model) {
    change(fcinfo, "mf_distribute_model()", distribute);
    return Datum{0};
}

MF_FUNCTION(mf_undistribute_model) {
    change(fcinfo, "mf_undistribute_model()", delete_copies);
    return Datum{0};
}

}  // namespace mf::pg
