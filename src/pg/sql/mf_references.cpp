// mf_relation, mf_role: the types by which the table of models refers to relations and roles.
#include "pg/wall/boundary.hpp"

extern "C" {
#include "utils/builtins.h"
#include "utils/syscache.h"
}

namespace mf::pg {
namespace {

/// The name, or "-" if the object is gone, where regclass and regrole would write the number: in a dump that would be
/// another object's.
Datum reference(FunctionCallInfo fcinfo, int cache, PGFunction name_of) {
    return pg_call([fcinfo, cache, name_of] {
        const Datum oid = ObjectIdGetDatum(PG_GETARG_OID(0));
        return SearchSysCacheExists1(cache, oid) ? DirectFunctionCall1(name_of, oid) : CStringGetDatum(pstrdup("-"));
    });
}

}  // namespace

MF_FUNCTION(mf_relation_in) {
    return pg_call([fcinfo] { return DirectFunctionCall1(regclassin, PG_GETARG_DATUM(0)); });
}
MF_FUNCTION(mf_role_in) {
    return pg_call([fcinfo] { return DirectFunctionCall1(regrolein, PG_GETARG_DATUM(0)); });
}

MF_FUNCTION(mf_relation_out) { return reference(fcinfo, RELOID, regclassout); }
MF_FUNCTION(mf_role_out) { return reference(fcinfo, AUTHOID, regroleout); }

}  // namespace mf::pg
