// mf_recommend_all, mf_recommend_all_text
#include "pg/cache/model_for_call.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/serving/recommend_all.hpp"

namespace mf::pg {
namespace {

struct Arguments : ListArguments {
    bool exclude_seen;
};

Datum recommend_all(FunctionCallInfo fcinfo, IdKind kind) {
    const Arguments arguments = pg_call([fcinfo] {
        return Arguments{list_arguments_unsafe(fcinfo, 0), PG_ARGISNULL(2) || PG_GETARG_BOOL(2)};
    });
    const std::size_t n = list_length(arguments.n);
    if (n == 0) return Datum{0};
    const std::shared_ptr<ServingModel> model = serving_model(arguments.catalog, arguments.model, IdKind::Text);
    if (kind == IdKind::Integer && (model->user_kind != kind || model->item_kind != kind))
        throw SqlError(ERRCODE_DATATYPE_MISMATCH, "the ids of model \"" + model->name + "\" are not integers", "",
                       "Call mf_recommend_all_text.");
    put_all_recommendations(fcinfo, kind, arguments.catalog, *model, n, arguments.exclude_seen);
    return Datum{0};
}

}  // namespace

MF_FUNCTION(mf_recommend_all) { return recommend_all(fcinfo, IdKind::Integer); }
MF_FUNCTION(mf_recommend_all_text) { return recommend_all(fcinfo, IdKind::Text); }

}  // namespace mf::pg
