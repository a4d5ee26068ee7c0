// mf_recommend_all, mf_recommend_all_text
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/recommend_all.hpp"
#include "pg/results.hpp"

namespace mf::pg {
namespace {

struct Arguments {
    Catalog catalog;
    bool n_null;
    std::int32_t n;
    const char* model;
    bool exclude_seen;
};

Datum recommend_all(FunctionCallInfo fcinfo, IdKind kind) {
    const Arguments arguments = pg_call([fcinfo] {
        begin_rows_unsafe(fcinfo);
        const bool n_null = PG_ARGISNULL(0);
        return Arguments{catalog_unsafe(fcinfo), n_null, n_null ? 0 : PG_GETARG_INT32(0), text_argument_unsafe(fcinfo, 1),
                         PG_ARGISNULL(2) || PG_GETARG_BOOL(2)};
    });
    const std::size_t n = list_length(arguments.n_null, arguments.n);
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
