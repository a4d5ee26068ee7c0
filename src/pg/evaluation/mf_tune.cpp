// mf_tune
#include "pg/sql/arguments.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/sql/results.hpp"
#include "pg/evaluation/search_argument.hpp"
#include "pg/evaluation/tuning.hpp"

namespace mf::pg {
namespace {

struct Call {
    RawTrainArguments training;
    Jsonb* search;
    std::int32_t k;
};

Call read_call_unsafe(FunctionCallInfo fcinfo) {
    begin_rows_unsafe(fcinfo);
    return {read_train_arguments_unsafe(fcinfo, 1), PG_ARGISNULL(1) ? nullptr : PG_GETARG_JSONB_P(1),
            PG_ARGISNULL(14) ? 0 : PG_GETARG_INT32(14)};
}

int whole_trials(double trials) {
    if (trials >= 1 && trials <= kMostTrials && trials == std::trunc(trials)) return static_cast<int>(trials);
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                   "trials must be a whole number between 1 and " + std::to_string(kMostTrials));
}

void put_trial_unsafe(FunctionCallInfo fcinfo, const Trial& trial, const char* parameters) {
    put_row_unsafe(fcinfo, {Int32GetDatum(trial.number), DirectFunctionCall1(jsonb_in, CStringGetDatum(parameters))},
                   {trial.rmse, trial.ndcg, trial.seconds});
}

}  // namespace

MF_FUNCTION(mf_tune) {
    const Call call = pg_call([fcinfo] { return read_call_unsafe(fcinfo); });
    TuningOptions tuning;
    double trials = tuning.trials;
    const FurtherNumber further[] = {{"seconds", &tuning.seconds}, {"trials", &trials}};
    tuning.k = measured_length(call.k);
    const TrainArguments arguments = check_train_arguments(call.training, further);
    tuning.trials = whole_trials(trials);
    const SearchSpace space = read_search(call.search, arguments.options.feedback);
    for (const Trial& trial : tune_source(arguments, space, tuning)) {
        const std::string parameters = write_settings(trial.parameters);
        pg_call([fcinfo, &trial, text = parameters.c_str()] { put_trial_unsafe(fcinfo, trial, text); });
    }
    return Datum{0};
}

}  // namespace mf::pg
