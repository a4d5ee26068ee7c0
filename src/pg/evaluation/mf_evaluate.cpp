// mf_evaluate
#include "pg/cache/model_for_call.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/evaluation/evaluate.hpp"
#include "pg/sql/results.hpp"

namespace mf::pg {
namespace {

void put_evaluation_unsafe(FunctionCallInfo fcinfo, const Evaluation& evaluation, const EvaluationRows& rows) {
    const RankingMetrics& metrics = evaluation.metrics;
    put_row_unsafe(
        fcinfo,
        {CStringGetTextDatum(evaluation.recommender), Int64GetDatum(static_cast<std::int64_t>(rows.users)),
         Int64GetDatum(static_cast<std::int64_t>(rows.used)), Int64GetDatum(static_cast<std::int64_t>(rows.skipped))},
        {evaluation.rmse, evaluation.mae, metrics.precision, metrics.recall, metrics.ndcg, metrics.average_precision,
         metrics.reciprocal_rank, metrics.hit_rate, metrics.auc, evaluation.coverage});
}

struct Call {
    Catalog catalog;
    const char* model;
    EvaluationArguments arguments;
};

const char* name_argument_unsafe(FunctionCallInfo fcinfo, int number) {
    return PG_ARGISNULL(number) ? nullptr : pstrdup(NameStr(*PG_GETARG_NAME(number)));
}

Call read_call_unsafe(FunctionCallInfo fcinfo) {
    begin_rows_unsafe(fcinfo);
    Call call{};
    call.catalog = catalog_unsafe(fcinfo);
    call.model = text_argument_unsafe(fcinfo, 0);
    call.arguments.test = PG_ARGISNULL(1) ? InvalidOid : PG_GETARG_OID(1);
    call.arguments.k = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2);
    call.arguments.user_column = name_argument_unsafe(fcinfo, 3);
    call.arguments.item_column = name_argument_unsafe(fcinfo, 4);
    call.arguments.rating_column = name_argument_unsafe(fcinfo, 5);
    if (!PG_ARGISNULL(6)) call.arguments.relevant_from = PG_GETARG_FLOAT8(6);
    return call;
}

}  // namespace

MF_FUNCTION(mf_evaluate) {
    const Call call = pg_call([fcinfo] { return read_call_unsafe(fcinfo); });
    if (call.arguments.test == InvalidOid)
        throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, "the test relation must not be NULL");
    if (call.arguments.user_column == nullptr || call.arguments.item_column == nullptr)
        throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, "user_column and item_column must not be NULL");
    // Ids never leave here, so any overload's would do.
    const std::shared_ptr<ServingModel> model = serving_model(call.catalog, call.model, IdKind::Text);
    EvaluationRows rows;
    for (const Evaluation& evaluation : evaluate(call.catalog, *model, call.arguments, &rows))
        pg_call([fcinfo, &evaluation, &rows] { put_evaluation_unsafe(fcinfo, evaluation, rows); });
    return Datum{0};
}

}  // namespace mf::pg
