// mf_train
#include "pg/boundary.hpp"
#include "pg/results.hpp"
#include "pg/training.hpp"

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
    put_outcome(fcinfo, arguments, run_training(catalog, arguments));
    return Datum{0};
}

}  // namespace mf::pg
