#include "pg/training.hpp"

#include <chrono>

#include "core/train.hpp"
#include "pg/environment.hpp"
#include "pg/factor_rows.hpp"
#include "pg/interactions_scan.hpp"
#include "pg/model_locks.hpp"
#include "pg/parameters.hpp"
#include "pg/progress.hpp"
#include "pg/publish.hpp"
#include "pg/results.hpp"
#include "pg/retrain.hpp"

namespace mf::pg {
namespace {

void warn_without_index(const Source& source) {
    if (has_user_index(source)) return;
    const char* column = pg_call([name = source.user.name.c_str()] { return quote_identifier(name); });
    report(WARNING, "no index of " + source.name + " leads with column \"" + source.user.name + "\"",
           "Each recommendation reads the user's rows and will scan the whole relation for them.",
           "CREATE INDEX ON " + source.name + " (" + column + ");");
}

std::int32_t store(const Catalog& catalog, const TrainArguments& arguments, Oid owner, const Dataset& dataset,
                   const TrainResult& trained, double seconds) {
    NewVersion row;
    row.model = arguments.model;
    row.owner = owner;
    row.source = &arguments.source;
    row.options = &arguments.options;
    row.algorithm = arguments.algorithm;
    row.parameters = write_parameters(arguments.options, arguments.options_json, trained.model);
    row.metrics = write_metrics(trained.summary);
    row.summary = trained.summary;
    row.seconds = seconds;
    const std::int64_t model_id = next_model_id(catalog);
    write_factors(catalog, model_id, dataset, trained.model);
    return publish(catalog, model_id, row);
}

TrainResult train_dataset(const Catalog& catalog, const TrainOptions& options, const Dataset& dataset,
                          Environment& environment, Progress& progress, const ModelVersion* start_from) {
    std::optional<WarmStart> start;
    if (start_from != nullptr) start = read_warm_start(catalog, *start_from, dataset, options);
    const TrainOptions actual = start ? warm_options(options) : options;
    progress.plan(actual.ials.iterations + (actual.feedback == Feedback::Explicit ? actual.als.iterations : 0));
    return train(dataset, actual, environment, start ? &*start : nullptr);
}

void log_outcome(const TrainArguments& arguments, const TrainingOutcome& outcome) {
    const TrainSummary& summary = outcome.summary;
    report(LOG, "trained version " + std::to_string(outcome.version) + " of model \"" + arguments.model + "\" on " +
                    std::to_string(summary.ratings) + " interactions of " + std::to_string(summary.users) + " users and " +
                    std::to_string(summary.items) + " items in " + std::to_string(outcome.seconds) + " s");
}

}  // namespace

TrainingOutcome run_training(const Catalog& catalog, const TrainArguments& arguments, const ModelVersion* start_from) {
    const auto begin = std::chrono::steady_clock::now();
    const auto seconds = [begin] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    };
    const Oid owner = lock_for_training(catalog, arguments.model);
    warn_without_index(arguments.source);
    Progress progress(arguments.model, owner);
    Environment environment = make_environment(progress);
    const Dataset dataset = read_interactions(arguments.source, arguments.options, environment, progress);
    progress.phase("training");
    const TrainResult trained = train_dataset(catalog, arguments.options, dataset, environment, progress, start_from);
    progress.phase("storing");
    TrainingOutcome outcome;
    outcome.summary = trained.summary;
    outcome.version = store(catalog, arguments, owner, dataset, trained, seconds());
    progress.phase(nullptr);
    outcome.seconds = seconds();
    log_outcome(arguments, outcome);
    return outcome;
}

void put_outcome(FunctionCallInfo fcinfo, const TrainArguments& arguments, const TrainingOutcome& outcome) {
    pg_call([fcinfo, &outcome, model = arguments.model.c_str()] {
        const TrainSummary& summary = outcome.summary;
        Datum values[10] = {CStringGetTextDatum(model),
                            Int32GetDatum(outcome.version),
                            Int64GetDatum(static_cast<std::int64_t>(summary.users)),
                            Int64GetDatum(static_cast<std::int64_t>(summary.items)),
                            Int64GetDatum(static_cast<std::int64_t>(summary.ratings)),
                            Int32GetDatum(summary.iterations),
                            Float8GetDatum(summary.train_rmse),
                            Float8GetDatum(summary.test_rmse),
                            Float8GetDatum(summary.test_ndcg),
                            Float8GetDatum(outcome.seconds)};
        bool nulls[10] = {};
        nulls[6] = std::isnan(summary.train_rmse);
        nulls[7] = std::isnan(summary.test_rmse);
        nulls[8] = std::isnan(summary.test_ndcg);
        auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    });
}

}  // namespace mf::pg
