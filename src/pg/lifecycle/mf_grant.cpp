// mf_grant, mf_revoke, mf_set_owner
#include "pg/lifecycle/grants.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/wall/boundary.hpp"

namespace mf::pg {
namespace {

/// Reads (model, role), neither of which may be NULL, and makes the change.
Datum change(FunctionCallInfo fcinfo, const char* function, void (*make)(const Catalog&, const char*, const char*)) {
    struct Arguments {
        Catalog catalog;
        const char* model;
        const char* role;
    };
    const auto arguments = pg_call([fcinfo, function] {
        PreventCommandIfReadOnly(function);
        return Arguments{catalog_unsafe(fcinfo), text_argument_unsafe(fcinfo, 0), text_argument_unsafe(fcinfo, 1)};
    });
    require_model_name(arguments.model);
    require_given(arguments.role != nullptr, "the name of a role");
    make(arguments.catalog, arguments.model, arguments.role);
    return Datum{0};
}

}  // namespace

MF_FUNCTION(mf_grant) { return change(fcinfo, "mf_grant()", grant_model); }
MF_FUNCTION(mf_revoke) { return change(fcinfo, "mf_revoke()", revoke_model); }
MF_FUNCTION(mf_set_owner) { return change(fcinfo, "mf_set_owner()", set_owner); }

}  // namespace mf::pg
