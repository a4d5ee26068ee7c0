#include "pg/training/training.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/base/error.hpp"
#include "core/pipeline/train.hpp"
#include "core/pipeline/warm_start.hpp"
#include "pg/cache/model_cache.hpp"
#include "pg/distributed/engines.hpp"
#include "pg/models/factor_rows.hpp"
#include "pg/models/feature_map.hpp"
#include "pg/models/model_locks.hpp"
#include "pg/sql/quoting.hpp"
#include "pg/sql/results.hpp"
#include "pg/training/interactions_scan.hpp"
#include "pg/training/training_features.hpp"
#include "pg/training/retrain.hpp"
#include "pg/training/store_version.hpp"
#include "pg/wall/environment.hpp"
#include "pg/wall/progress.hpp"

namespace mf::pg {
namespace {

/// A statement for the index from which histories are read without the table.
std::string covering_index(const Source& source) {
    const std::string keys =
        (source.tenant ? quoted_name(source.tenant->column.name) + ", " : "") + quoted_name(source.user.name);
    std::vector<std::string> included{source.item.name};
    for (const std::optional<SourceColumn>& column : {source.rating, source.time})
        if (column && std::ranges::find(included, column->name) == included.end()) included.push_back(column->name);
    std::string list;
    for (const std::string& name : included) list += (list.empty() ? "" : ", ") + quoted_name(name);
    return "CREATE INDEX ON " + source.name + " (" + keys + ") INCLUDE (" + list + ");";
}

/// What to say if the model was trained on another relation, which still exists; else empty.
std::string other_source(const Catalog& catalog, const TrainArguments& arguments) {
    const std::optional<FormerVersion> former = find_former_version(catalog, arguments.model);
    if (!former || !relation_exists(former->source)) return "";
    const std::string then =
        source_label(qualified_name(former->source), former->tenant.column_or_null(), former->tenant.value_or_null());
    const std::string now = arguments.source.label();
    if (former->source == arguments.source.relation && then == now) return "";
    return "model \"" + arguments.model + "\" was trained on " + then + ", not on " + now;
}

}  // namespace

void warn_without_index(const Source& source) {
    if (has_user_index(source)) return;
    report(WARNING,
           source.name + " has no index that begins with column \"" + source.user.name + "\"" +
               (source.tenant ? ", nor with \"" + source.tenant->column.name + "\" and that column" : ""),
           "Each recommendation reads the user's rows and will scan the whole relation for them.",
           covering_index(source));
}

/// What the steps hand on. Outlives transactions: no memory of PostgreSQL.
struct Training::State {
    explicit State(const std::string& model, Oid owner) : progress(model, owner) {}

    /// Once everything was read.
    std::size_t feature_memory(const TrainOptions& options) const {
        return features->memory(options, dataset->users.size(), dataset->items.size());
    }
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); }

    std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
    Progress progress;
    Environment environment = make_environment(progress);
    std::optional<TrainingFeatures> features;
    std::optional<Dataset> dataset;
    std::optional<WarmStart> start;
    bool is_of_tenant = false;  ///< one of many: their items together are not for the shared cache
    TrainResult trained;
};

Training::Training(const Catalog& catalog, TrainArguments arguments)
    : catalog_(catalog), arguments_(std::move(arguments)) {}
Training::~Training() = default;

void Training::read(const ModelVersion* start_from) {
    try {
        read_here(start_from);
    } catch (const MemoryLimitExceeded& error) {
        if (!is_distributed_source(catalog_, arguments_.source.relation)) throw;
        throw MemoryLimitExceeded(error.what(), error.detail(),
                                  R"(Train where the rows are, with mf_train_async and options => '{"engine": )"
                                  R"("distributed"}', or raise mf_ext.max_memory.)");
    }
}

void Training::read_here(const ModelVersion* start_from) {
    const Oid owner = lock_for_training(catalog_, arguments_.model);
    state_ = std::make_unique<State>(arguments_.model, owner);
    check_former(catalog_, arguments_);
    warn_without_index(arguments_.source);
    State& state = *state_;
    if (arguments_.item_features || arguments_.user_features) state.progress.phase("features");
    state.features.emplace(arguments_, state.environment);
    state.dataset = read_interactions(arguments_.source, arguments_.options, state.environment, state.progress, 0,
                                      state.features->memory(arguments_.options));
    state.features->join(*state.dataset, state.environment);
    require_training_memory(*state.dataset, arguments_.options, state.environment.threads, 0,
                            state.feature_memory(arguments_.options));
    if (start_from == nullptr) return;
    std::vector<std::uint32_t> interactions(state.dataset->items.size());
    for (const std::uint32_t item : state.dataset->by_user.columns) ++interactions[item];
    state.start = read_warm_start(catalog_, *start_from, state.dataset->items, interactions, arguments_.options);
}

void Training::take(Dataset interactions, std::chrono::steady_clock::time_point begin) {
    const Oid owner = lock_for_training(catalog_, arguments_.model);
    state_ = std::make_unique<State>(arguments_.model, owner);
    State& state = *state_;
    state.begin = begin;
    state.is_of_tenant = true;
    // To hand work to other threads, and to wait for them, costs more than it saves.
    constexpr std::size_t kEntriesForThreads = 20'000;
    if (interactions.by_user.entries() < kEntriesForThreads) state.environment.threads = 1;
    check_former(catalog_, arguments_);
    tell_of_former_source(catalog_, arguments_);
    state.features.emplace(arguments_, state.environment);
    state.dataset = std::move(interactions);
    require_training_memory(*state.dataset, arguments_.options, state.environment.threads, 0, 0);
}

void Training::train() {
    State& state = *state_;
    TrainOptions options = state.start ? warm_options(arguments_.options) : arguments_.options;
    limit_search(options, *state.dataset, 0, state.feature_memory(options));
    state.progress.plan(planned_iterations(options));
    bool searches = needs_search(options);
    state.progress.phase(searches ? "search" : "training");
    Environment environment = state.environment;
    environment.on_phase = [&](const char* name, int total) {
        if (std::exchange(searches, false)) state.progress.phase("training");
        state.environment.on_phase(name, total);
    };
    state.trained = mf::train(*state.dataset, options, environment, state.start ? &*state.start : nullptr,
                              state.features->values());
}

const std::vector<std::string>& Training::notes() const { return state_->trained.found.notes; }

TrainingOutcome Training::store() {
    State& state = *state_;
    state.progress.phase(arguments_.publish_if ? "comparing" : "storing");
    const Oid owner = lock_for_training(catalog_, arguments_.model);
    require_sources(arguments_);
    const TrainResult& trained = state.trained;
    Verdict verdict;
    if (arguments_.publish_if) {
        verdict = compare_with_live(catalog_, arguments_, *state.dataset, trained.summary, state.environment);
        state.progress.phase("storing");
    }
    TrainingOutcome outcome;
    outcome.summary = trained.summary;
    outcome.found = found_json(arguments_, trained.found.found);
    outcome.seconds = state.seconds();
    const std::int64_t model_id = next_model_id(catalog_);
    write_factors(catalog_, model_id, *state.dataset, trained.model, trained.found.options.storage,
                  arguments_.store_users, state.environment);
    for (const Side side : {Side::Items, Side::Users})
        if (const Ids* names = state.features->names(side))
            write_feature_map(catalog_, side, model_id, *names, trained.model);
    StoredVersion stored = store_version(catalog_, arguments_, owner, model_id, trained, outcome.seconds, verdict);
    outcome.version = stored.number;
    outcome.message = std::move(stored.message);
    if (outcome.message.empty() && !state.is_of_tenant) make_ready(outcome.version, model_id);
    state.progress.phase(nullptr);
    outcome.seconds = state.seconds();
    return outcome;
}

/// What was trained is stored already, and gives its memory to this. The run is done even if there is too little.
void Training::make_ready(std::int32_t version, std::int64_t model_id) {
    Model& model = state_->trained.model;
    ItemParts items;
    items.ids = std::move(state_->dataset->items);
    items.interactions = std::move(model.item_interactions);
    items.popularity = std::move(state_->dataset->popularity);
    items.ranking = std::move(model.ranking.items);
    if (model.rating) {
        items.rating = std::move(model.rating->items);
        items.rating_bias = std::move(model.rating->item_bias);
    }
    state_->dataset.reset();
    state_->trained = {};
    try {
        share_items_at_commit(catalog_, arguments_.model, version, model_id, items, state_->environment);
    } catch (const std::bad_alloc&) {
        report(LOG, "there was no memory to make the items of model \"" + arguments_.model + "\" ready to serve");
    }
}

void advise(const TrainArguments& arguments) {
    static bool told_of_lists = false, told_of_quality = false;  // once in a session
    const std::vector<std::string>& given = arguments.options.given;
    const auto is_given = [&given](const char* name) { return std::ranges::find(given, name) != given.end(); };
    const bool is_for_ratings = arguments.options.feedback == Feedback::Explicit;
    if (is_for_ratings && (is_given("iterations") || is_given("regularization")) && !std::exchange(told_of_lists, true))
        report(NOTICE, "with explicit feedback, iterations and regularization change predicted ratings, not lists", "",
               R"(Lists depend on "ranking_iterations" and "ranking_regularization" in options.)");
    if (!(arguments.options.test_fraction > 0) && !std::exchange(told_of_quality, true))
        report(NOTICE, "no rows are held out, so the quality of lists and predictions is not measured", "",
               "mf_cross_validate with the same arguments measures it, and so does test_fraction => 0.1.");
}

void check_former(const Catalog& catalog, const TrainArguments& arguments) {
    if (!arguments.publish && !find_former_version(catalog, arguments.model))
        throw SqlError(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                       "the first version of model \"" + arguments.model + "\" has to be published",
                       "A model has a live version from the beginning.", R"(Leave "publish" out.)");
    if (arguments.model_is_given) return;
    const std::string fact = other_source(catalog, arguments);
    if (fact.empty()) return;
    throw SqlError(ERRCODE_DUPLICATE_OBJECT, fact, "A model is named after its source unless it is given a name.",
                   "Pass model => '...' for a model of its own, or model => " + quoted_literal(arguments.model) +
                       " for a new version of this one.");
}

void tell_of_former_source(const Catalog& catalog, const TrainArguments& arguments) {
    if (!arguments.model_is_given) return;
    const std::string fact = other_source(catalog, arguments);
    if (!fact.empty()) report(NOTICE, fact, "Its next version is trained on the latter.");
}

TrainingOutcome run_training(const Catalog& catalog, const TrainArguments& arguments, const ModelVersion* start_from) {
    if (arguments.is_distributed)
        throw SqlError(ERRCODE_FEATURE_NOT_SUPPORTED, "a distributed training run is a job", "Its steps are committed.",
                       "Call mf_train_async, or mf_retrain_async.");
    lock_for_training(catalog, arguments.model);  // only who may train the model is told of its source
    tell_of_former_source(catalog, arguments);
    Training training(catalog, arguments);
    training.read(start_from);
    training.train();
    for (const std::string& note : training.notes()) report(NOTICE, note);
    return training.store();
}

void put_outcome(FunctionCallInfo fcinfo, const TrainArguments& arguments, const TrainingOutcome& outcome) {
    const char* found = outcome.found.empty() ? nullptr : outcome.found.c_str();
    const char* message = outcome.message_or_null();
    pg_call([fcinfo, &outcome, found, message, model = arguments.model.c_str()] {
        const TrainSummary& summary = outcome.summary;
        put_row_unsafe(
            fcinfo,
            {CStringGetTextDatum(model), Int32GetDatum(outcome.version),
             Int64GetDatum(static_cast<std::int64_t>(summary.users)),
             Int64GetDatum(static_cast<std::int64_t>(summary.items)),
             Int64GetDatum(static_cast<std::int64_t>(summary.ratings)), Int32GetDatum(summary.iterations)},
            {summary.train_rmse, summary.test_rmse, summary.test_ndcg, outcome.seconds},
            {found != nullptr ? NullableDatum{DirectFunctionCall1(jsonb_in, CStringGetDatum(found)), false}
                              : NullableDatum{Datum{0}, true},
             message != nullptr ? NullableDatum{CStringGetTextDatum(message), false} : NullableDatum{Datum{0}, true}});
    });
}

}  // namespace mf::pg
