// mf_predict, mf_predictions
#include "pg/cache/model_for_call.hpp"
#include "pg/serving/user_state.hpp"
#include "pg/sql/results.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/call_site.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {
namespace {

/// Tells whether two calls see the same data as the same role: everything a snapshot and a role can differ in.
struct StatementKey {
    TransactionId xmin = InvalidTransactionId;
    TransactionId xmax = InvalidTransactionId;
    CommandId command = 0;
    std::uint64_t completed = 0;  ///< transactions completed in the server when the snapshot was taken
    TimestampTz statement = 0;
    Oid role = InvalidOid;

    bool operator==(const StatementKey&) const = default;
    static StatementKey current() {
        const Snapshot snapshot = GetActiveSnapshot();
        return {snapshot->xmin,
                snapshot->xmax,
                snapshot->curcid,
                snapshot->snapXactCompletionCount,
                GetCurrentStatementStartTimestamp(),
                GetUserId()};
    }
};

/// The model and the user of the previous call; most statements predict many items for one user after the other.
struct PredictMemo {
    StatementKey key;
    std::string model_name;  ///< as the call gave it, or the default
    std::optional<std::int64_t> version;
    std::shared_ptr<ServingModel> model;
    std::optional<Id> user;
    UserState state;
};

/// Prediction for an item that the model may not know; nothing for implicit feedback, which gives no prediction then.
std::optional<float> predict(const ServingModel& model, const UserState& user, std::optional<std::uint32_t> item) {
    if (model.rating) return item ? predict_item_rating(model, user, *item) : predict_without_item(model, user);
    if (!item || user.basis == Basis::Popular) return std::nullopt;
    return preference_score(model, user, *item);
}

void load_model(FunctionCallInfo fcinfo, PredictMemo& memo, const char* name, std::optional<std::int64_t> version,
                IdKind kind) {
    const std::string wanted = name != nullptr ? std::string("=") + name : setting_default_model();
    const StatementKey key = StatementKey::current();
    if (memo.model != nullptr && memo.key == key && memo.model_name == wanted && memo.version == version) return;
    memo = PredictMemo{};
    const Catalog catalog = pg_call([fcinfo] { return catalog_unsafe(fcinfo); });
    memo.model = serving_model(catalog, name, version, kind);
    memo.model_name = wanted;
    memo.version = version;
    memo.key = key;
}

void load_user(FunctionCallInfo fcinfo, PredictMemo& memo, const IdView& view) {
    Id user = user_id(*memo.model, view);
    if (memo.user && memo.user->integer == user.integer && memo.user->bytes == user.bytes) return;
    memo.user.reset();
    const Catalog catalog = pg_call([fcinfo] { return catalog_unsafe(fcinfo); });
    memo.state = user_in_snapshot(catalog, *memo.model, user, false);
    memo.user = std::move(user);
}

struct PredictArguments {
    IdView user;
    IdView item;
    const char* model;
    std::optional<std::int64_t> version;
};

Datum predict_one(FunctionCallInfo fcinfo, IdKind kind) {
    const auto arguments = pg_call([fcinfo, kind] {
        return PredictArguments{id_argument_unsafe(fcinfo, 0, kind), id_argument_unsafe(fcinfo, 1, kind),
                                text_argument_unsafe(fcinfo, 2), version_argument_unsafe(fcinfo, 3)};
    });
    if (arguments.user.null || arguments.item.null) PG_RETURN_NULL();
    PredictMemo& memo = of_call_site<PredictMemo>(fcinfo->flinfo);
    load_model(fcinfo, memo, arguments.model, arguments.version, kind);
    load_user(fcinfo, memo, arguments.user);
    const std::optional<float> prediction = predict(*memo.model, memo.state, known_item(*memo.model, arguments.item));
    if (!prediction) PG_RETURN_NULL();
    return Float4GetDatum(*prediction);
}

struct PredictionsArguments {
    Catalog catalog;
    IdView user;
    IdArrayView items;
    const char* model;
    std::optional<std::int64_t> version;
};

Datum predict_many(FunctionCallInfo fcinfo, IdKind kind) {
    const auto arguments = pg_call([fcinfo, kind] {
        begin_rows_unsafe(fcinfo);
        return PredictionsArguments{catalog_unsafe(fcinfo), id_argument_unsafe(fcinfo, 0, kind),
                                    id_array_argument_unsafe(fcinfo, 1, kind), text_argument_unsafe(fcinfo, 2),
                                    version_argument_unsafe(fcinfo, 3)};
    });
    if (arguments.user.null) return Datum{0};
    const std::shared_ptr<ServingModel> model =
        serving_model(arguments.catalog, arguments.model, arguments.version, kind);
    const UserState user = user_in_snapshot(arguments.catalog, *model, user_id(*model, arguments.user), false);
    std::vector<std::uint32_t> items;
    if (arguments.items.count >= 0) {
        items = known_items(*model, arguments.items);
    } else {
        items.resize(model->items.size());
        for (std::uint32_t i = 0; i < items.size(); ++i) items[i] = i;
    }
    std::vector<ListRow> rows;
    rows.reserve(items.size());
    for (const std::uint32_t item : items)
        if (const std::optional<float> value = predict(*model, user, item)) rows.push_back({item, *value});
    put_list(fcinfo, kind, model->items.ids(), rows, nullptr);
    return Datum{0};
}

}  // namespace

MF_ID_FUNCTIONS(mf_predict, predict_one)
MF_ID_FUNCTIONS(mf_predictions, predict_many)

}  // namespace mf::pg
