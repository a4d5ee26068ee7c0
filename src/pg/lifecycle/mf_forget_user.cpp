// mf_forget_user
#include "pg/sql/arguments.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/lifecycle/forget.hpp"
#include "pg/sql/results.hpp"

namespace mf::pg {
namespace {

Datum forget(FunctionCallInfo fcinfo, IdKind kind) {
    struct Arguments {
        Catalog catalog;
        IdView user;
        const char* model;
    };
    const auto arguments = pg_call([fcinfo, kind] {
        PreventCommandIfReadOnly("mf_forget_user()");
        begin_rows_unsafe(fcinfo);
        return Arguments{catalog_unsafe(fcinfo), id_argument_unsafe(fcinfo, 0, kind), text_argument_unsafe(fcinfo, 1)};
    });
    if (arguments.user.null) return Datum{0};
    for (const ForgottenFrom& from : forget_user(arguments.catalog, arguments.user, arguments.model))
        pg_call([fcinfo, model = from.model.c_str(), version = from.version] {
            put_row_unsafe(fcinfo, {CStringGetTextDatum(model), Int32GetDatum(version)});
        });
    return Datum{0};
}

}  // namespace

MF_FUNCTION(mf_forget_user_integer) { return forget(fcinfo, IdKind::Integer); }
MF_FUNCTION(mf_forget_user_uuid) { return forget(fcinfo, IdKind::Uuid); }
MF_FUNCTION(mf_forget_user_text) { return forget(fcinfo, IdKind::Text); }

}  // namespace mf::pg
