// mf_cross_validate
#include <chrono>
#include <functional>

#include "core/pipeline/cross_validation.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/sql/results.hpp"
#include "pg/training/interactions_scan.hpp"
#include "pg/training/training_features.hpp"
#include "pg/training/train_arguments.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/environment.hpp"
#include "pg/wall/progress.hpp"

namespace mf::pg {
namespace {

/// Shows the iterations of all trainers as those of one phase.
Environment counted(const Environment& environment, int total, int* done) {
    Environment result = environment;
    result.on_phase = {};
    result.on_iteration = [&environment, total, done](Iteration iteration) {
        if (iteration.total == 0) return true;  // a point of a search
        iteration.phase = "cross-validation";
        iteration.iteration = ++*done;
        iteration.total = total;
        return environment.on_iteration(iteration);
    };
    return result;
}

/// Reads the source once and passes on the result of each fold when it ends, with the seconds it took. Stores nothing.
/// Throws what a training run throws.
void cross_validate(const TrainArguments& arguments, std::uint32_t folds, std::size_t k,
                    const std::function<void(std::uint32_t fold, const FoldResult&, double seconds)>& take) {
    // All rows stay in memory beside the part that is trained on.
    constexpr int kCopies = 1;
    Progress progress(arguments.model, pg_call([] { return GetUserId(); }));
    Environment environment = make_environment(progress);
    TrainingFeatures features(arguments, environment);
    // Those of a fold are beside all.
    Dataset dataset = read_interactions(arguments.source, arguments.options, environment, progress, kCopies,
                                        2 * features.memory(arguments.options));
    features.join(dataset, environment);
    const std::size_t feature_memory =
        2 * features.memory(arguments.options, dataset.users.size(), dataset.items.size());
    require_training_memory(dataset, arguments.options, environment.threads, kCopies, feature_memory);
    progress.phase("cross-validation");
    const int each = planned_iterations(arguments.options);
    const int total = static_cast<int>(
        std::min<std::uint64_t>(std::uint64_t{folds} * static_cast<unsigned>(each), std::numeric_limits<int>::max()));
    progress.plan(total);
    environment.on_phase("cross-validation", total);
    TrainOptions options = arguments.options;
    limit_search(options, dataset, kCopies, feature_memory);
    const IdHashes hashes = id_hashes(dataset, environment);
    int done = 0;
    Environment counting = counted(environment, total, &done);
    for (std::uint32_t fold = 0; fold < folds; ++fold) {
        const auto begin = std::chrono::steady_clock::now();
        done = static_cast<int>(fold) * each;  // the previous fold may have stopped early
        const FoldResult result =
            validate_fold(dataset.by_user, hashes, fold, folds, options, k, counting, features.values());
        take(fold, result, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    progress.phase(nullptr);
}

struct Call {
    RawTrainArguments training;
    bool has_folds;
    std::int32_t folds;
    std::int64_t k;
};

Call read_call_unsafe(FunctionCallInfo fcinfo) {
    begin_rows_unsafe(fcinfo);
    return {read_train_arguments_unsafe(fcinfo, 1), !PG_ARGISNULL(1), PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1),
            PG_ARGISNULL(14) ? 0 : PG_GETARG_INT64(14)};
}

void put_fold_unsafe(FunctionCallInfo fcinfo, std::uint32_t fold, const FoldResult& result, double seconds) {
    put_row_unsafe(fcinfo, {Int32GetDatum(static_cast<std::int32_t>(fold))},
                   {result.predictions.rmse(), result.predictions.mae(), result.lists.mean_ndcg(),
                    result.lists.mean_recall(), seconds});
}

}  // namespace

MF_FUNCTION(mf_cross_validate) {
    const Call call = pg_call([fcinfo] { return read_call_unsafe(fcinfo); });
    require_given(call.has_folds, "folds");
    const std::uint32_t folds =
        at_least("folds", 2, call.folds, "One fold after the other is kept out of training to measure on.");
    const std::size_t k = measured_length(call.k);
    const TrainArguments arguments = check_train_arguments(call.training);
    cross_validate(arguments, folds, k, [fcinfo](std::uint32_t fold, const FoldResult& result, double seconds) {
        pg_call([fcinfo, fold, &result, seconds] { put_fold_unsafe(fcinfo, fold, result, seconds); });
    });
    return Datum{0};
}

}  // namespace mf::pg
