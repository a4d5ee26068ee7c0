// mf_evaluate
#include <algorithm>
#include <limits>

#include "core/base/descending_order.hpp"
#include "core/evaluation/bias_baseline.hpp"
#include "core/retrieval/user_blocks.hpp"
#include "pg/cache/model_for_call.hpp"
#include "pg/cache/serving_model.hpp"
#include "pg/evaluation/evaluation_rows.hpp"
#include "pg/evaluation/evaluation_totals.hpp"
#include "pg/serving/recommendations.hpp"
#include "pg/serving/user_scan.hpp"
#include "pg/sql/results.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/environment.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {
namespace {

/// What to evaluate on: the test rows, read with the caller's rights.
struct EvaluationArguments {
    Oid test;
    const char* user_column;
    const char* item_column;
    const char* rating_column;            ///< ignored for implicit feedback without relevant_from
    std::int64_t k;                       ///< length of the lists
    std::optional<double> relevant_from;  ///< rows below are not relevant; nothing: all rows are
};

/// Numbers of test rows: those used, and those skipped because the model does not know the item, because its source
/// has no row of the user and the model knows no feature of theirs, because the user has the item in the source already
/// (overlapping), or for a NULL.
struct EvaluationRows {
    std::uint64_t used = 0;
    std::uint64_t skipped = 0;
    std::uint64_t overlapping = 0;  ///< among the skipped
};

constexpr std::size_t kMostUsers = 4096;  // in a block

/// Of mf_ext.max_memory: rows of histories take this part of it at most, one user's maybe more; stored factors of the
/// same users as much.
constexpr std::size_t kShareOfHistories = 4;

/// Biases of the items from all rows of the source; those of users follow from their histories.
class BiasBaseline : public RowSink {
  public:
    explicit BiasBaseline(const ServingModel& model) : model_(model), items_(model.items.size()) {}

    /// To be called once, after the last row.
    void finish() {
        mean_ = all_.count > 0 ? all_.total / static_cast<double>(all_.count) : 0;
        for (Sum& item : items_) {
            const auto count = static_cast<double>(item.count);
            item.total = shrunk_item_bias(item.total - count * mean_, count);
        }
    }

    double mean() const { return mean_; }
    double item(std::uint32_t item) const { return items_[item].total; }
    double user(std::span<const HistoryEntry> history) const {
        double sum = 0;
        for (const HistoryEntry& entry : history) sum += static_cast<double>(entry.value) - mean_ - item(entry.item);
        return shrunk_user_bias(sum, static_cast<double>(history.size()));
    }

    /// All items, greatest bias first, ties by index.
    std::vector<std::uint32_t> order(Environment& environment) const {
        std::vector<std::uint32_t> order(items_.size());
        descending_order(order, environment, [this](std::uint32_t item) { return items_[item].total; });
        return order;
    }

    void rows(const RowBatch& batch) override {
        std::uint32_t items[kBatchRows];
        batch.with_items([&](auto ids) { model_.items.ids().find(ids, items); });
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (items[i] == SortedIds::kUnknown || !std::isfinite(batch.value(i))) continue;
            // Sums of ratings in float steps are exact in double for any order of up to a billion rows of stars or
            // counts.
            items_[items[i]].total += batch.ratings()[i];
            ++items_[items[i]].count;
            all_.total += batch.ratings()[i];
            ++all_.count;
        }
    }

  private:
    struct Sum {
        double total = 0;  ///< of the ratings; later the bias
        std::uint64_t count = 0;
    };

    const ServingModel& model_;
    std::vector<Sum> items_;
    Sum all_;
    double mean_ = 0;
};

std::vector<std::uint32_t> as_vector(std::span<const std::uint32_t> items) { return {items.begin(), items.end()}; }

/// Items with interactions in the training run, or those without, which a model may hold as well. The model's ranking
/// of one kind shows how good it is for these items, whichever kind it puts above the other.
struct ItemKind {
    /// by_popularity: the items of the kind in that order.
    ItemKind(const char* recommender, std::span<const std::uint32_t> by_popularity, const ServingModel& model)
        : items(ascending(by_popularity), model.items.ranking()),
          order(as_vector(by_popularity), model.items.size()),
          totals(recommender, model.items.size(), items.size()) {}

    static std::vector<std::uint32_t> ascending(std::span<const std::uint32_t> items) {
        std::vector<std::uint32_t> sorted = as_vector(items);
        std::sort(sorted.begin(), sorted.end());
        return sorted;
    }

    ItemSubset items;
    FixedOrder order;
    Totals totals;
    std::uint64_t rows = 0;
};

/// Both kinds; nothing for a model that has items of one kind only, whose ranking is that of all items.
std::vector<ItemKind> item_kinds(const ServingModel& model) {
    const std::span<const std::uint32_t> items = model.items.by_popularity();
    const auto known = static_cast<std::size_t>(
        std::ranges::partition_point(items, [&](auto item) { return model.items.interactions()[item] > 0; }) -
        items.begin());
    std::vector<ItemKind> kinds;
    if (known == 0 || known == items.size()) return kinds;
    kinds.reserve(2);
    kinds.emplace_back("model: known items", items.first(known), model);
    kinds.emplace_back("model: new items", items.subspan(known), model);
    return kinds;
}

/// What is relevant if nothing is said: all rows, but no dislikes.
double least_relevant(const ServingModel& model) {
    return model.dislikes() ? std::numeric_limits<double>::denorm_min() : -std::numeric_limits<double>::infinity();
}

class Evaluator {
  public:
    Evaluator(const Catalog& catalog, ServingModel& model, const EvaluationArguments& arguments, const TestRows& test,
              const Source& source, EvaluationRows& rows)
        : catalog_(catalog),
          model_(model),
          k_(static_cast<std::size_t>(arguments.k)),
          relevant_from_(arguments.relevant_from.value_or(least_relevant(model))),
          test_(test),
          source_(source),
          rows_(rows),
          environment_(quiet_environment()),
          bias_(model),
          variety_{model.items.ranking(), model.items.interactions(), static_cast<double>(model.version.users)},
          by_popularity_(as_vector(model.items.by_popularity()), model.items.size()),
          model_totals_("model", model.items.size(), model.items.size()),
          popularity_totals_("popularity", model.items.size(), model.items.size()),
          bias_totals_("bias", model.items.size(), model.items.size()),
          kinds_(item_kinds(model)),
          block_users_(block_users(k_, model.items.size(), kMostUsers)),
          queries_(block_users_ * model.items.ranking().stride(), 0.0f),
          queries_of_kind_(kinds_.empty() ? 0 : queries_.size(), 0.0f) {}

    std::vector<Evaluation> run() {
        const std::optional<ExpectedUsers> expected = ExpectedUsers::read(catalog_, model_, test_.users, environment_);
        std::vector<bool> without_rows(test_.user_count(), true);
        const std::vector<bool> everybody(test_.user_count(), true);
        const std::size_t share = setting_max_memory() / kShareOfHistories;
        HistoryScan histories(model_, test_.users, everybody, 0, test_.user_count(), share, environment_);
        while (!histories.finished()) {
            histories.read(source_, nullptr, by_bias_ ? nullptr : &bias_);
            if (!by_bias_) {
                bias_.finish();
                by_bias_.emplace(bias_.order(environment_), model_.items.size());
            }
            const std::optional<StoredUsers> stored =
                StoredUsers::read(catalog_, model_, test_.users, histories.first(), histories.end(), share);
            histories.pass_on([&](std::uint32_t user, std::span<HistoryRow> rows) {
                check_interrupt(environment_);
                without_rows[user] = false;
                add_user(user,
                         user_with_history(catalog_, model_, id_at(test_.users, user), merge_history(rows, model_),
                                           expected ? &*expected : nullptr, stored ? &*stored : nullptr));
            });
        }
        if (expected) add_described_users(*expected, without_rows);
        finish_block();
        rows_.skipped = test_.rows.size() + test_.skipped - rows_.used;
        std::vector<Evaluation> result{model_totals_.result(rows_.used)};
        for (const ItemKind& kind : kinds_) result.push_back(kind.totals.result(kind.rows));
        result.push_back(popularity_totals_.result(rows_.used));
        result.push_back(bias_totals_.result(rows_.used));
        return result;
    }

  private:
    struct List {
        std::vector<std::uint32_t> items;
        ListVariety variety;
    };

    /// Those of the users whose features the model knows: they get lists and predictions without a row in the source.
    void add_described_users(const ExpectedUsers& expected, const std::vector<bool>& users) {
        for (std::uint32_t user = 0; user < users.size(); ++user) {
            if (!users[user]) continue;
            check_interrupt(environment_);
            UserState state;
            take_center(expected.of(id_at(test_.users, user)), state);
            if (state.basis == Basis::Features) add_user(user, state);
        }
    }

    void add_user(std::uint32_t user, const UserState& state) {
        TestUser test;
        test.seen = state.history.seen;
        const double user_bias = bias_.user(state.history.entries);
        for (const TestRow& row : test_.of(user)) {
            if (row.item == SortedIds::kUnknown) continue;
            if (std::binary_search(test.seen.begin(), test.seen.end(), row.item)) {
                ++rows_.overlapping;
                continue;
            }
            ++rows_.used;
            ItemKind* const kind = kind_of(row.item);
            if (kind != nullptr) ++kind->rows;
            if (model_.rating) {
                const double rating = static_cast<double>(row.rating);
                const double error = static_cast<double>(predict_item_rating(model_, state, row.item)) - rating;
                model_totals_.add_error(error);
                if (kind != nullptr) kind->totals.add_error(error);
                bias_totals_.add_error(std::clamp(bias_.mean() + user_bias + bias_.item(row.item),
                                                  model_.rating->minimum, model_.rating->maximum) -
                                       rating);
            }
            if (static_cast<double>(row.rating) >= relevant_from_ &&
                (test.relevant.empty() || test.relevant.back() != row.item))
                test.relevant.push_back(row.item);
        }
        if (test.relevant.empty()) return;
        by_popularity_.evaluate(test, k_, variety_, popularity_totals_);
        by_bias_->evaluate(test, k_, variety_, bias_totals_);
        if (state.basis == Basis::Popular) {
            by_popularity_.evaluate(test, k_, variety_, model_totals_);
            for (ItemKind& kind : kinds_) {
                const TestUser of_kind = kind.items.restricted(test);
                if (!of_kind.relevant.empty()) kind.order.evaluate(of_kind, k_, variety_, kind.totals);
            }
            return;
        }
        std::copy(state.ranking_factors.begin(), state.ranking_factors.end(),
                  queries_.data() + block_.size() * model_.items.ranking().stride());
        block_.push_back(std::move(test));
        if (block_.size() == block_users_) finish_block();
    }

    /// Nothing if all items are of one kind.
    ItemKind* kind_of(std::uint32_t item) {
        for (ItemKind& kind : kinds_)
            if (kind.items.contains(item)) return &kind;
        return nullptr;
    }

    void finish_block() {
        add_rankings(queries_.data(), block_, nullptr, model_totals_);
        const std::size_t stride = model_.items.ranking().stride();
        for (ItemKind& kind : kinds_) {
            std::vector<TestUser> users;
            for (std::size_t u = 0; u < block_.size(); ++u) {
                TestUser of_kind = kind.items.restricted(block_[u]);
                if (of_kind.relevant.empty()) continue;
                std::copy_n(queries_.data() + u * stride, stride, queries_of_kind_.data() + users.size() * stride);
                users.push_back(std::move(of_kind));
            }
            add_rankings(queries_of_kind_.data(), users, &kind.items, kind.totals);
        }
        block_.clear();
    }

    /// Ranks all items, or those in `some`, for these users, on all threads; adds the metrics in the order of the
    /// users. Their lists, for coverage and variety alone, take a few percent of the time of the ranks.
    void add_rankings(const float* queries, std::span<const TestUser> users, const ItemSubset* some, Totals& totals) {
        if (users.empty()) return;
        const ItemIndex& items = model_.items.ranking();
        if (some == nullptr)
            rank_by_factors(queries, users, items, environment_, ranks_);
        else
            rank_by_factors(queries, users, items, *some, environment_, ranks_);
        lists_.resize(users.size());
        const std::size_t at_once = queries_at_once(users.size(), environment_.threads);
        parallel_ranges(environment_, users.size(), at_once, [&](std::size_t begin, std::size_t end, int) {
            std::vector<std::span<const std::uint32_t>> seen;
            for (std::size_t u = begin; u < end; ++u) seen.emplace_back(users[u].seen);
            const FactorView part(queries + begin * items.stride(), end - begin, items.factors());
            std::vector<std::vector<ScoredItem>> lists(end - begin);
            if (some == nullptr)
                top_n_each(part, items, k_, seen, lists);
            else
                top_n_each_of(part, items, k_, some->items(), seen, lists);
            for (std::size_t u = begin; u < end; ++u) {
                List& list = lists_[u];
                list.items.clear();
                for (const ScoredItem& item : lists[u - begin]) list.items.push_back(item.item);
                list.variety = variety_.of(list.items);
            }
        });
        const std::size_t ranked = some == nullptr ? items.items() : some->size();
        for (std::size_t u = 0; u < users.size(); ++u) {
            totals.add(ranking_metrics(ranks_[u], ranked - users[u].seen.size(), k_));
            totals.add_list(lists_[u].items, lists_[u].variety);
        }
    }

    const Catalog& catalog_;
    ServingModel& model_;
    std::size_t k_;
    double relevant_from_;
    const TestRows& test_;
    const Source& source_;
    EvaluationRows& rows_;
    Environment environment_;
    BiasBaseline bias_;
    VarietyMeasure variety_;
    FixedOrder by_popularity_;
    std::optional<FixedOrder> by_bias_;  ///< once the source was read
    Totals model_totals_;
    Totals popularity_totals_;
    Totals bias_totals_;
    std::vector<ItemKind> kinds_;
    std::size_t block_users_;
    Array<float> queries_;
    Array<float> queries_of_kind_;
    std::vector<TestUser> block_;
    std::vector<std::vector<std::uint32_t>> ranks_;
    std::vector<List> lists_;
};

void check(const EvaluationArguments& arguments) {
    measured_length(arguments.k);
    if (arguments.relevant_from && std::isnan(*arguments.relevant_from))
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "relevant_from must be a number");
}

/// Evaluates the model as mf_recommend and mf_predict serve it now: ranks all items that a user does not have in the
/// source. The baselines: items by their interactions in the training run; mean + user bias + item bias of the source's
/// rows (bias_baseline.hpp). A model with items that had no interactions in the training run gets two more rows, for
/// the rankings of each kind of items alone, which take as long together as that of all. Reads the test rows once, and
/// the source once, or more often if a quarter of mf_ext.max_memory does not hold the rows of the test's users (12
/// bytes each); the stored factors of these users at once if another quarter holds them; in a model with features of
/// users, their relation once. O(users · items · k), on all threads.
std::vector<Evaluation> evaluate(const Catalog& catalog, ServingModel& model, const EvaluationArguments& arguments,
                                 EvaluationRows* rows) {
    check(arguments);
    // Every row of implicit feedback is an interaction; the column of weights may not even exist.
    const bool needs_rating = model.feedback == Feedback::Explicit || model.dislikes() || arguments.relevant_from;
    const Source test = describe_source(arguments.test, {arguments.user_column, arguments.item_column,
                                                         needs_rating ? arguments.rating_column : nullptr, nullptr});
    const TestRows test_rows = read_test_rows(model, test);
    const Source source = current_source(model.name, model.version);
    std::vector<Evaluation> result = Evaluator(catalog, model, arguments, test_rows, source, *rows).run();
    if (rows->overlapping > 0)
        report(WARNING,
               std::to_string(rows->overlapping) + " of " + std::to_string(test_rows.rows.size()) +
                   " test rows are in the source of model \"" + model.name + "\"",
               "They are skipped: seen items are never recommended.",
               "Train on the other rows only; mf_split makes two tables.");
    return result;
}

void put_evaluation_unsafe(FunctionCallInfo fcinfo, const Evaluation& evaluation, const EvaluationRows& rows) {
    const RankingMetrics& metrics = evaluation.metrics;
    put_row_unsafe(
        fcinfo,
        {CStringGetTextDatum(evaluation.recommender), Int64GetDatum(static_cast<std::int64_t>(evaluation.users)),
         Int64GetDatum(static_cast<std::int64_t>(evaluation.rows)),
         Int64GetDatum(static_cast<std::int64_t>(rows.skipped))},
        {evaluation.rmse, evaluation.mae, metrics.precision, metrics.recall, metrics.ndcg, metrics.average_precision,
         metrics.reciprocal_rank, metrics.hit_rate, metrics.auc, evaluation.coverage, evaluation.variety.novelty,
         evaluation.variety.similarity});
}

struct Call {
    Catalog catalog;
    const char* model;
    std::optional<std::int64_t> version;
    EvaluationArguments arguments;
};

Call read_call_unsafe(FunctionCallInfo fcinfo) {
    begin_rows_unsafe(fcinfo);
    Call call{};
    call.catalog = catalog_unsafe(fcinfo);
    call.model = text_argument_unsafe(fcinfo, 0);
    call.arguments.test = PG_ARGISNULL(1) ? InvalidOid : PG_GETARG_OID(1);
    call.arguments.k = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2);
    call.arguments.user_column = name_argument_unsafe(fcinfo, 3);
    call.arguments.item_column = name_argument_unsafe(fcinfo, 4);
    call.arguments.rating_column = name_argument_unsafe(fcinfo, 5);
    if (!PG_ARGISNULL(6)) call.arguments.relevant_from = PG_GETARG_FLOAT8(6);
    call.version = version_argument_unsafe(fcinfo, 7);
    return call;
}

}  // namespace

MF_FUNCTION(mf_evaluate) {
    const Call call = pg_call([fcinfo] { return read_call_unsafe(fcinfo); });
    require_given(OidIsValid(call.arguments.test), "the test relation");
    require_given(call.arguments.user_column != nullptr && call.arguments.item_column != nullptr,
                  "user_column and item_column");
    // Ids never leave here, so any overload's would do.
    const std::shared_ptr<ServingModel> model = serving_model(call.catalog, call.model, call.version, IdKind::Text);
    EvaluationRows rows;
    for (const Evaluation& evaluation : evaluate(call.catalog, *model, call.arguments, &rows))
        pg_call([fcinfo, &evaluation, &rows] { put_evaluation_unsafe(fcinfo, evaluation, rows); });
    return Datum{0};
}

}  // namespace mf::pg
