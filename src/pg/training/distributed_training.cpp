#include "pg/training/distributed_training.hpp"

#include <chrono>
#include <limits>
#include <sstream>
#include <utility>

#include "core/base/error.hpp"
#include "core/distributed/pack.hpp"
#include "core/linalg/eigenbasis.hpp"
#include "core/linalg/gram_matrix.hpp"
#include "core/pipeline/find_options.hpp"
#include "core/pipeline/warm_start.hpp"
#include "core/training/factor_init.hpp"
#include "pg/distributed/run_rows.hpp"
#include "pg/models/factor_rows.hpp"
#include "pg/models/model_locks.hpp"
#include "pg/models/parameters.hpp"
#include "pg/training/packing.hpp"
#include "pg/training/retrain.hpp"
#include "pg/training/store_version.hpp"
#include "pg/wall/environment.hpp"
#include "pg/wall/guc.hpp"
#include "pg/wall/progress.hpp"

namespace mf::pg {
namespace {

/// The arguments of a run and its source as one text. What is given in `options` is in there as it was given.
std::string text_of(const TrainArguments& arguments, const std::optional<ModelVersion>& start_from) {
    const TrainOptions& options = arguments.options;
    std::ostringstream text;
    text.precision(std::numeric_limits<double>::max_digits10);
    const auto name = [](const std::optional<SourceColumn>& column) { return column ? column->name : std::string(); };
    text << arguments.source.relation << '\n'
         << arguments.source.user.name << '\n'
         << arguments.source.item.name << '\n'
         << name(arguments.source.rating) << '\n'
         << name(arguments.source.time) << '\n'
         << (options.feedback == Feedback::Explicit ? "explicit" : "implicit") << ' ' << named_trainer(options).name
         << '\n'
         << options.factors << ' ' << options.rating_factors_or_default() << ' ' << options.als.iterations << ' '
         << options.ials.iterations << ' ' << options.als.regularization << ' ' << options.ials.regularization << ' '
         << options.test_fraction << ' ' << options.seed << ' ' << options.search.enabled << '\n'
         << arguments.options_json << '\n'
         << arguments.found_json << '\n'
         << (start_from ? start_from->version : 0);
    return text.str();
}

/// The options with what was found.
void apply_found(const std::string& found, TrainArguments& arguments) {
    arguments.options.search.enabled = false;
    if (found.empty()) return;
    RunOptions run;
    Jsonb* json = pg_call(
        [text = found.c_str()] { return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text))); });
    apply_options(json, arguments.options, run);
    arguments.found_json = found;
}

class DistributedTraining {
  public:
    DistributedTraining(const Catalog& catalog, JobArguments arguments)
        : catalog_(catalog),
          arguments_(std::move(arguments.training)),
          start_from_(std::move(arguments.start_from)),
          owner_(lock_for_training(catalog, arguments_.model)),
          progress_(arguments_.model, owner_),
          environment_(make_environment(progress_)) {}

    /// Packs the source, unless there is a run to go on with.
    void begin() {
        check_former(catalog_, arguments_);
        warn_without_index(arguments_.source);
        const std::string text = text_of(arguments_, start_from_);
        std::optional<RunRow> former = find_run(catalog_, arguments_.model);
        if (former) require_privileges(*former);
        // Of another role it may have other rows.
        if (former && former->arguments == text && former->owner == pg_call([] { return GetUserId(); })) {
            run_ = std::move(*former);
            tables().begin();
            tables().share_again();
            report(LOG, "the training run of model \"" + arguments_.model + "\" goes on after step " +
                            std::to_string(loaded().steps()));
            return;
        }
        if (former) drop_run(catalog_, *former);
        run_.model = arguments_.model;
        run_.arguments = text;
        pack();
    }

    bool is_done() { return schedule().is_done(); }

    void step() {
        lock_for_training(catalog_, arguments_.model);
        Schedule& schedule = this->schedule();
        const RunTables tables = this->tables();
        tables.begin();
        if (bytes_to_reclaim_ > kBytesToReclaim || steps_to_reclaim_ >= kStepsToReclaim) {
            reclaim(tables);
            bytes_to_reclaim_ = 0;
            steps_to_reclaim_ = 0;
        }
        const Step step = schedule.next();
        schedule.finish(step, tables.run_step(step, schedule.steps(), environment_), environment_);
        tables.forget(schedule);
        bytes_to_reclaim_ += step.written_bytes();
        ++steps_to_reclaim_;
        save_run(catalog_, run_.run, schedule.save());
    }

    /// Stores and publishes the version, and drops what the run has kept.
    TrainingOutcome store() {
        progress_.phase("storing");
        owner_ = lock_for_training(catalog_, arguments_.model);
        require_sources(arguments_);
        const Schedule& schedule = this->schedule();
        TrainResult trained;
        if (arguments_.options.feedback == Feedback::Explicit) trained.model.rating = schedule.rating_model();
        trained.model.ranking = schedule.ranking_model();
        trained.summary = schedule.summary();
        trained.found.options = arguments_.options;
        const std::int64_t model_id = next_model_id(catalog_);
        store_rows(model_id, RowSide::Items);
        if (arguments_.store_users) store_rows(model_id, RowSide::Users);
        TrainingOutcome outcome;
        outcome.summary = trained.summary;
        outcome.found = arguments_.found_json;
        outcome.seconds = seconds();
        StoredVersion stored = store_version(catalog_, arguments_, owner_, model_id, trained, outcome.seconds);
        outcome.version = stored.number;
        outcome.message = std::move(stored.message);
        drop_run(catalog_, run_);
        progress_.phase(nullptr);
        return outcome;
    }

    /// A transaction was begun anew: plans the iterations once they are known.
    void begin_training() {
        progress_.plan(planned_iterations(schedule().options()));
        progress_.phase("training");
        const Schedule::Position position = schedule().position();
        if (position.phase == nullptr) return;
        progress_.factors(position.phase, position.total);
        progress_.resume(position.done, position.all_done);
    }

  private:
    RunTables tables() const { return {catalog_, run_.run, run_.places}; }
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }

    Schedule loaded() {
        apply_found(run_.found, arguments_);
        run_.data.exchange = arguments_.exchange;
        return {arguments_.options, run_.data, run_.state};
    }
    Schedule& schedule() {
        if (!schedule_) schedule_.emplace(loaded());
        return *schedule_;
    }

    void pack() {
        const Source& source = arguments_.source;
        const TrainOptions& options = arguments_.options;
        const Engine& engine = engine_for(catalog_, source.relation);
        run_.run = new_run_number();
        run_.places = engine.places(catalog_, source.relation);
        const RunTables tables = this->tables();
        lay_out(engine, tables, source.relation);
        tables.begin();
        const SourceRanges ranges = find_ranges(source, options, arguments_.buckets, progress_);
        const IdRanges users(ranges.users), items(ranges.items);
        run_.data.user_counts.assign(users.size(), 0);
        InteractionsBuilder sample(source.user.kind(), source.item.kind(), false);
        pack_source(source, options, ranges, environment_, progress_,
                    [&](std::uint32_t bucket, const std::string& block) {
                        const RowsView rows(block);
                        run_.data.user_counts[bucket] = rows.rows();
                        run_.data.entries += rows.train().entries() + rows.test().entries();
                        run_.data.held_out += rows.test().entries();
                        if (options.search.enabled) add_to_sample(rows, ranges.rows, sample);
                        tables.insert_rows(kRawUsers, bucket, users.size(), block);
                    });
        if (needs_search(options)) search(sample);
        progress_.phase("packing");
        std::optional<IalsParameters> weighting;
        if (arguments_.options.feedback == Feedback::Implicit) weighting = ials_weighting(arguments_.options, {});
        for (std::uint32_t bucket = 0; bucket < users.size(); ++bucket) {
            if (run_.data.user_counts[bucket] == 0) continue;
            const std::string block = tables.rows_of(kRawUsers, bucket);
            for (const BucketBlock& part :
                 split_by_column(RowsView(block), items, weighting ? &*weighting : nullptr, environment_))
                tables.insert_part(part.bucket, bucket, part.bytes);
        }
        tables.join_items({run_.data.user_counts, {}}, items.size());
        run_.data.item_counts = tables.count_items(items.size());
        tables.number_users({run_.data.item_counts, weighting});
        run_.data.exchange = arguments_.exchange;
        Schedule schedule(arguments_.options, run_.data);
        if (start_from_) start(schedule, tables);
        run_.state = schedule.save();
        add_run(catalog_, run_);
    }

    /// Shares the factors that items had in the version to start from, if it knows enough of them.
    void start(Schedule& schedule, const RunTables& tables) {
        const TrainOptions& options = arguments_.options;
        IdTable ids(arguments_.source.item.kind());
        std::vector<std::uint32_t> interactions;
        const auto& counts = run_.data.item_counts;
        for (std::uint32_t bucket = 0; bucket < counts.size(); ++bucket) {
            if (counts[bucket] == 0) continue;
            const std::string bytes = tables.heads_of(RowSide::Items, bucket);
            const RowHeads heads(bytes);
            for (std::uint32_t row = 0; row < heads.rows(); ++row) heads.ids().intern_in(ids, row);
            interactions.insert(interactions.end(), heads.interactions().begin(), heads.interactions().end());
        }
        const auto padded = [](int factors) { return static_cast<double>(FactorMatrix::padded(factors)); };
        const bool is_explicit = options.feedback == Feedback::Explicit;
        const double floats =
            padded(options.factors) + (is_explicit ? padded(options.rating_factors_or_default()) + 1 : 0);
        if (static_cast<double>(ids.memory()) + 4 * (floats + 1) * ids.size() >
            static_cast<double>(setting_max_memory())) {
            report(LOG, "the factors of items of model \"" + arguments_.model +
                            "\" do not fit into mf_ext.max_memory: its training begins anew");
            return;
        }
        std::optional<WarmStart> warm = read_warm_start(catalog_, *start_from_, ids, interactions, options);
        if (!warm || !is_start(warm->ranking.items, ids.size(), options.factors)) return;
        for (std::uint32_t item = 0; item < ids.size(); ++item) {
            complete_item(warm->ranking.items, item, options.seed, kRankingStartStream);
            if (warm->rating) complete_item(warm->rating->items, item, options.seed, kRatingStartStream);
        }
        GramSums gram(options.factors);
        std::uint32_t first = 0;
        for (std::uint32_t bucket = 0; bucket < counts.size(); first += counts[bucket], ++bucket) {
            if (counts[bucket] == 0) continue;
            const std::uint32_t end = first + counts[bucket];
            GramSums of_bucket(options.factors);
            of_bucket.add(warm->ranking.items.slice(first, end));
            gram += of_bucket;
            const auto share = [&](FactorKind kind, const FactorMatrix& items, std::span<const float> bias) {
                tables.insert_factors(kind, RowSide::Items, Schedule::kStartVersion, bucket,
                                      FactorBlock::write({}, FactorView(items).slice(first, end), bias));
            };
            share(FactorKind::Ranking, warm->ranking.items, {});
            if (warm->rating)
                share(FactorKind::Rating, warm->rating->items,
                      std::span<const float>(warm->rating->item_bias).subspan(first, counts[bucket]));
            check_interrupt(environment_);
        }
        const auto values = gram.values();
        schedule.start_with({values.begin(), values.end()});
    }

    /// Some users of a bucket, evenly spaced, for the search.
    static void add_to_sample(const RowsView& rows, std::uint64_t all, InteractionsBuilder& sample) {
        constexpr std::uint64_t kCells = 1500000;
        const auto apart = static_cast<std::uint32_t>(all / kCells + 1);
        const CsrView train = rows.train();
        for (std::uint32_t row = 0; row < rows.rows(); row += apart) {
            const std::uint32_t user = rows.ids().intern_in(sample.users(), row);
            for (std::size_t j = 0; j < train.row_size(row); ++j)
                sample.add(user, rows.column_ids().intern_in(sample.items(), train.row_columns(row)[j]),
                           train.row_values(row)[j]);
        }
    }

    void search(InteractionsBuilder& sample) {
        progress_.phase("search");
        const Dataset dataset = std::move(sample).finish(Duplicates::Error, environment_);
        const FoundOptions found =
            find_options(dataset.by_user, id_hashes(dataset, environment_), arguments_.options, environment_);
        for (const std::string& note : found.notes) report(NOTICE, note);
        if (!found.found.empty()) run_.found = write_settings(found.found);
        apply_found(run_.found, arguments_);
    }

    /// The rows of a side, a bucket at a time.
    void store_rows(std::int64_t model_id, RowSide side) {
        const bool is_users = side == RowSide::Users;
        const RunTables tables = this->tables();
        const auto& counts = is_users ? run_.data.user_counts : run_.data.item_counts;
        for (std::uint32_t bucket = 0; bucket < counts.size(); ++bucket) {
            if (counts[bucket] == 0) continue;
            const std::string bytes = tables.heads_of(side, bucket);
            const RowHeads rows(bytes);
            SolvedItems solved;
            for (std::uint32_t row = 0; row < rows.rows(); ++row) {
                solved.ids.push_back(rows.ids().text(row));
                solved.interactions.push_back(rows.interactions()[row]);
                solved.source_rows.push_back(is_users ? rows.marks()[row]
                                                      : rows.interactions()[row] + rows.marks()[row]);
            }
            solved.ranking = factors(FactorKind::Ranking, side, bucket, nullptr);
            if (arguments_.options.feedback == Feedback::Explicit)
                solved.rating = factors(FactorKind::Rating, side, bucket, &solved.rating_bias);
            write_rows(catalog_, is_users ? Side::Users : Side::Items, model_id, solved, Storage::Single);
            check_interrupt(environment_);
        }
    }

    FactorMatrix factors(FactorKind kind, RowSide side, std::uint32_t bucket, Array<float>* bias) {
        const StoredFactors& stored = schedule().stored(kind, side);
        const std::string bytes = tables().factors_of(kind, side, stored.version, bucket);
        const FactorBlock block(bytes);
        FactorMatrix result(block.rows(), block.factors(), environment_);
        if (bias != nullptr) *bias = Array<float>(block.rows());
        block.copy_to(result, bias != nullptr ? bias->data() : nullptr);
        if (stored.turn.rows() > 0) Eigenbasis(stored.turn).rotate(result, environment_);
        return result;
    }

    Catalog catalog_;
    TrainArguments arguments_;
    std::optional<ModelVersion> start_from_;
    Oid owner_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    Progress progress_;
    Environment environment_;
    RunRow run_;
    std::optional<Schedule> schedule_;
    // Since the space of deleted factors was reclaimed: what a step writes replaces as much. Reclaiming it takes some
    // milliseconds, for connections.
    static constexpr std::size_t kBytesToReclaim = std::size_t{8} << 20;
    static constexpr int kStepsToReclaim = 8;
    std::size_t bytes_to_reclaim_ = 0;
    int steps_to_reclaim_ = 0;
};

}  // namespace

void train_distributed(const Catalog& catalog, const GiveArguments& arguments, const InTransaction& in_transaction,
                       const std::function<void(const TrainingOutcome&)>& store) {
    std::optional<DistributedTraining> training;
    in_transaction([&] {
        training.emplace(catalog, arguments());
        training->begin();
    });
    in_transaction([&] { training->begin_training(); });
    while (!training->is_done()) in_transaction([&] { training->step(); });
    in_transaction([&] { store(training->store()); });
}

}  // namespace mf::pg
