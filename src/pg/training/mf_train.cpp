// mf_train, mf_retrain
#include "pg/sql/arguments.hpp"
#include "pg/sql/results.hpp"
#include "pg/training/retrain.hpp"
#include "pg/training/training.hpp"
#include "pg/wall/boundary.hpp"

namespace mf::pg {

MF_FUNCTION(mf_train) {
    const Catalog catalog = pg_call([fcinfo] {
        PreventCommandIfReadOnly("mf_train()");
        PreventCommandIfParallelMode("mf_train()");
        begin_rows_unsafe(fcinfo);
        return catalog_unsafe(fcinfo);
    });
    const RawTrainArguments raw = pg_call([fcinfo] { return read_train_arguments_unsafe(fcinfo); });
    const TrainArguments arguments = check_train_arguments(raw);
    advise(arguments);
    put_outcome(fcinfo, arguments, run_training(catalog, arguments));
    return Datum{0};
}

MF_FUNCTION(mf_retrain) {
    const Catalog catalog = pg_call([fcinfo] {
        PreventCommandIfReadOnly("mf_retrain()");
        PreventCommandIfParallelMode("mf_retrain()");
        begin_rows_unsafe(fcinfo);
        return catalog_unsafe(fcinfo);
    });
    const char* name = pg_call([fcinfo] { return text_argument_unsafe(fcinfo, 0); });
    require_model_name(name);
    std::string found;
    const ModelVersion version = find_model(catalog, name, &found, Access::Manage);
    const TrainArguments arguments = retrain_arguments(found, version);
    put_outcome(fcinfo, arguments, run_training(catalog, arguments, &version));
    return Datum{0};
}

}  // namespace mf::pg
