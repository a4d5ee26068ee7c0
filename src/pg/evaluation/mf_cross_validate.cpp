// mf_cross_validate
#include "pg/sql/arguments.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/evaluation/cross_validation.hpp"
#include "pg/sql/results.hpp"

namespace mf::pg {
namespace {

struct Call {
    RawTrainArguments training;
    std::int32_t folds;
    std::int32_t k;
};

Call read_call_unsafe(FunctionCallInfo fcinfo) {
    begin_rows_unsafe(fcinfo);
    return {read_train_arguments_unsafe(fcinfo, 1), PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1),
            PG_ARGISNULL(14) ? 0 : PG_GETARG_INT32(14)};
}

void put_fold_unsafe(FunctionCallInfo fcinfo, std::uint32_t fold, const FoldResult& result, double seconds) {
    put_row_unsafe(fcinfo, {Int32GetDatum(static_cast<std::int32_t>(fold))},
                   {result.predictions.rmse(), result.predictions.mae(), result.lists.mean_ndcg(),
                    result.lists.mean_recall(), seconds});
}

}  // namespace

MF_FUNCTION(mf_cross_validate) {
    const Call call = pg_call([fcinfo] { return read_call_unsafe(fcinfo); });
    if (call.folds < 2)
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "folds must be at least 2, it is " + std::to_string(call.folds),
                       "", "One fold after the other is kept out of training to measure on.");
    const std::size_t k = measured_length(call.k);
    const TrainArguments arguments = check_train_arguments(call.training);
    cross_validate(arguments, static_cast<std::uint32_t>(call.folds), k,
                   [fcinfo](std::uint32_t fold, const FoldResult& result, double seconds) {
                       pg_call([fcinfo, fold, &result, seconds] { put_fold_unsafe(fcinfo, fold, result, seconds); });
                   });
    return Datum{0};
}

}  // namespace mf::pg
