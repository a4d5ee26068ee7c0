// mf_recommend
#include "pg/cache/model_for_call.hpp"
#include "pg/serving/recommendations.hpp"
#include "pg/wall/boundary.hpp"

namespace mf::pg {
namespace {

struct Arguments : ListArguments {
    IdView user;
    bool exclude_seen;
    IdArrayView candidates;
    IdArrayView exclude;
    double diversity;
};

Arguments read_arguments_unsafe(FunctionCallInfo fcinfo, IdKind kind) {
    return {list_arguments_unsafe(fcinfo, 1, 6),       id_argument_unsafe(fcinfo, 0, kind),
            PG_ARGISNULL(3) || PG_GETARG_BOOL(3),      id_array_argument_unsafe(fcinfo, 4, kind),
            id_array_argument_unsafe(fcinfo, 5, kind), PG_ARGISNULL(7) ? 0 : PG_GETARG_FLOAT8(7)};
}

Datum recommend(FunctionCallInfo fcinfo, IdKind kind) {
    const Arguments arguments = pg_call([fcinfo, kind] { return read_arguments_unsafe(fcinfo, kind); });
    const std::size_t n = list_length(arguments.n);
    const double diversity = checked_diversity(arguments.diversity, n);
    if (arguments.user.null || n == 0) return Datum{0};
    const std::shared_ptr<ServingModel> model =
        serving_model(arguments.catalog, arguments.model, arguments.version, kind);
    const UserState user =
        user_in_snapshot(arguments.catalog, *model, user_id(*model, arguments.user), arguments.exclude_seen);
    const ListFilter filter{arguments.candidates, arguments.exclude, arguments.exclude_seen, diversity};
    put_recommendations(fcinfo, kind, *model, user, n, filter);
    return Datum{0};
}

}  // namespace

MF_ID_FUNCTIONS(mf_recommend, recommend)

}  // namespace mf::pg
