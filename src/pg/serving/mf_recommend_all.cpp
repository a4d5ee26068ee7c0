// mf_recommend_all, mf_recommend_all_text, mf_recommend_all_uuid
#include <algorithm>

#include "pg/cache/model_for_call.hpp"
#include "pg/models/factor_rows.hpp"
#include "pg/serving/batch_filter.hpp"
#include "pg/serving/history_lists.hpp"
#include "pg/serving/recommendations.hpp"
#include "pg/serving/stored_lists.hpp"
#include "pg/serving/user_lists.hpp"
#include "pg/serving/user_scan.hpp"
#include "pg/serving/user_state.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/environment.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {
namespace {

/// Adds to the function's result, as rows (user, item, score, rank), what mf_recommend gives for each user who is in
/// the model or has rows in the source and whom the filter has, in no particular order; users of whom there are
/// features alone are not among them. The source is read once under the active snapshot, and once more if histories
/// have changed since the training; more often only where maintenance_work_mem does not hold the items seen (3 bytes
/// each, 5 if there are more than 65,536 items), or the changed histories (12 bytes a row). Memory besides: 100 bytes a
/// user who has rows, 20 MB for rows that were read, and what StoredLists takes; in a model with features of users,
/// what ExpectedUsers takes for those whose stored factors do not serve. A source that cannot be read any more is an
/// error unless exclude_seen is false and users are stored: then the stored factors serve.
class AllUsers {
  public:
    AllUsers(FunctionCallInfo fcinfo, IdKind overload, const Catalog& catalog, ServingModel& model, std::size_t n,
             bool exclude_seen, const BatchArguments& arguments)
        : catalog_(catalog),
          model_(model),
          n_(n),
          exclude_seen_(exclude_seen),
          environment_(quiet_environment()),
          filter_(model, arguments, environment_),
          writer_(fcinfo, overload, model.items.ids()),
          unserved_(model.user_kind) {}

    void run() {
        if (!filter_.allows_any()) return;
        if (!exclude_seen_ && model_.stores_users() && !relation_exists(model_.version.source)) {
            from_factors(nullptr, true);
            return;
        }
        const Source source = current_source(model_.name, model_.version);
        UserScan scan(model_, exclude_seen_, setting_batch_memory());
        for (bool first = true;; first = false) {
            scan.read(source, filter_.users().few());
            if (first) {
                changed_.assign(scan.users().size(), true);
                if (!filter_.users().is_everybody())
                    for (std::uint32_t user = 0; user < scan.users().size(); ++user)
                        changed_[user] = filter_.users().has(id_at(scan.users(), user));
                trained_digests_.resize(scan.users().size());
            }
            from_factors(&scan, first);
            if (first && model_.version.features.users) from_features(scan);
            from_histories(scan, source);
            if (scan.seen().end() >= scan.users().size()) return;
        }
    }

  private:
    static bool in_range(const UserScan& scan, std::uint32_t user) {
        return user >= scan.seen().first() && user < scan.seen().end();
    }

    /// Users whose stored factors serve, and, in the first pass, those of the model without rows. Without a scan all
    /// stored factors serve.
    void from_factors(const UserScan* scan, bool first) {
        std::vector<ScoredItem> popular;
        if (first && scan != nullptr) popular = best_items(model_, UserState{}, n_, filter_.items(), {});
        const bool leaves_out = scan != nullptr && exclude_seen_;
        StoredLists lists(model_, n_, filter_.items(), leaves_out ? &scan->seen() : nullptr, environment_, writer_);
        filter_.users().read_factors(catalog_, model_, [&](Id id, const FactorRow& row) {
            std::uint32_t user = 0;
            if (scan != nullptr) {
                const std::optional<std::uint32_t> found = id.find_in(scan->users());
                if (!found) {
                    if (first && model_.version.features.users)
                        id.intern_in(unserved_);
                    else if (first)
                        writer_.put(id, popular);
                    return;
                }
                user = *found;
                if (!model_.stored_users_fit() || scan->digest(user) != row.history_digest) {
                    trained_digests_[user] = row.history_digest;
                    return;
                }
                changed_[user] = false;
                if (!in_range(*scan, user)) return;
            }
            lists.add(std::move(id), user, row.ranking_factors);
        });
        lists.finish();
    }

    /// Users of the model without rows, where the model has features of users. Reads what is expected of them and of
    /// those whose histories have changed.
    void from_features(const UserScan& scan) {
        const std::uint32_t without_rows = unserved_.size();
        for (std::uint32_t user = 0; user < scan.users().size(); ++user)
            if (changed_[user]) id_at(scan.users(), user).intern_in(unserved_);
        if (unserved_.size() == 0) return;
        expected_ = ExpectedUsers::read(catalog_, model_, unserved_, environment_);
        HistoryLists lists = history_lists();
        for (std::uint32_t user = 0; user < without_rows; ++user) lists.add(id_at(unserved_, user), {}, std::nullopt);
        lists.finish();
    }

    HistoryLists history_lists() {
        return HistoryLists(catalog_, model_, expected_ ? &*expected_ : nullptr, n_, filter_.items(), exclude_seen_,
                            environment_, writer_);
    }

    /// Users whose history is not that of the training.
    void from_histories(const UserScan& scan, const Source& source) {
        const auto first = changed_.begin() + scan.seen().first();
        const std::uint32_t end = std::min(scan.seen().end(), scan.users().size());
        if (std::find(first, changed_.begin() + end, true) == changed_.begin() + end) return;
        HistoryScan histories(model_, scan.users(), changed_, scan.seen().first(), end, setting_batch_memory(),
                              environment_);
        HistoryLists lists = history_lists();
        while (!histories.finished()) {
            histories.read(source, filter_.users().few());
            histories.pass_on([&](std::uint32_t user, std::span<HistoryRow> rows) {
                lists.add(id_at(scan.users(), user), rows, trained_digests_[user]);
            });
            lists.finish();
        }
    }

    const Catalog& catalog_;
    ServingModel& model_;
    std::size_t n_;
    bool exclude_seen_;
    Environment environment_;
    BatchFilter filter_;
    UserListWriter writer_;
    // By the scan's numbers.
    std::vector<bool> changed_;
    std::vector<std::optional<std::uint64_t>> trained_digests_;  ///< of those that are changed and were in the training
    // In a model with features of users.
    IdTable unserved_;  ///< users without rows in the source, then those with changed histories
    std::optional<ExpectedUsers> expected_;
};

struct Arguments : ListArguments {
    bool exclude_seen;
    BatchArguments filter;
};

/// Integers and uuids come as such only where both ids are: text serves all.
void check_kinds(const ServingModel& model, IdKind overload) {
    if (overload == IdKind::Text || (model.user_kind == overload && model.item_kind == overload)) return;
    throw SqlError(ERRCODE_DATATYPE_MISMATCH,
                   "the ids of model \"" + model.name + "\" are not " +
                       (overload == IdKind::Integer ? "integers" : "of type uuid"),
                   "", "Call mf_recommend_all_text.");
}

Datum recommend_all(FunctionCallInfo fcinfo, IdKind kind) {
    const Arguments arguments = pg_call([fcinfo, kind] {
        return Arguments{list_arguments_unsafe(fcinfo, 0, 6),
                         PG_ARGISNULL(2) || PG_GETARG_BOOL(2),
                         {id_array_argument_unsafe(fcinfo, 3, kind), id_array_argument_unsafe(fcinfo, 4, kind),
                          id_array_argument_unsafe(fcinfo, 5, kind)}};
    });
    const std::size_t n = list_length(arguments.n);
    if (n == 0) return Datum{0};
    const std::shared_ptr<ServingModel> model =
        serving_model(arguments.catalog, arguments.model, arguments.version, IdKind::Text);
    check_kinds(*model, kind);
    AllUsers(fcinfo, kind, arguments.catalog, *model, n, arguments.exclude_seen, arguments.filter).run();
    return Datum{0};
}

}  // namespace

MF_FUNCTION(mf_recommend_all) { return recommend_all(fcinfo, IdKind::Integer); }
MF_FUNCTION(mf_recommend_all_text) { return recommend_all(fcinfo, IdKind::Text); }
MF_FUNCTION(mf_recommend_all_uuid) { return recommend_all(fcinfo, IdKind::Uuid); }

}  // namespace mf::pg
