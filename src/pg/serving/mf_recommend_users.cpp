// mf_recommend_users: whom to tell of an item.
#include "core/base/error.hpp"
#include "core/linalg/kernels.hpp"
#include "pg/cache/model_for_call.hpp"
#include "pg/models/model_source.hpp"
#include "pg/serving/best_users.hpp"
#include "pg/serving/chosen_users.hpp"
#include "pg/sql/row_users.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {
namespace {

struct Arguments : ListArguments {
    IdView item;
    bool exclude_seen;
    IdArrayView candidates;
};

/// Users who have the item now, by the rows that the active snapshot shows. Throws as current_source().
RowUsers users_with(const ServingModel& model, const Id& item) {
    RowUsers sink(model.user_kind, [limit = setting_max_memory()](const IdTable& users) {
        if (users.memory() > limit)
            throw MemoryLimitExceeded("the users who have the item need more than mf_ext.max_memory",
                                      std::to_string(users.size()) + " users found so far.",
                                      "Raise mf_ext.max_memory, or pass exclude_seen => false.");
    });
    scan_items(current_source(model.name, model.version), {&item, 1}, sink, ScanFor::Histories, model.version.owner);
    return sink;
}

Arguments read_arguments_unsafe(FunctionCallInfo fcinfo, IdKind kind) {
    return {list_arguments_unsafe(fcinfo, 1, 5), id_argument_unsafe(fcinfo, 0, kind),
            PG_ARGISNULL(3) || PG_GETARG_BOOL(3), id_array_argument_unsafe(fcinfo, 4, kind)};
}

Datum recommend_users(FunctionCallInfo fcinfo, IdKind kind) {
    const Arguments arguments = pg_call([fcinfo, kind] { return read_arguments_unsafe(fcinfo, kind); });
    const std::size_t n = list_length(arguments.n);
    if (arguments.item.null || n == 0) return Datum{0};
    const std::shared_ptr<ServingModel> model =
        serving_model(arguments.catalog, arguments.model, arguments.version, kind);
    require_stored_users(arguments.catalog, "mf_recommend_users()", model->stores_users(), model->name);
    const std::optional<std::uint32_t> item = known_item(*model, arguments.item);
    const ChosenUsers chosen(*model, arguments.candidates);
    if (!item || chosen.is_nobody()) return Datum{0};
    std::optional<RowUsers> seen;
    if (arguments.exclude_seen) seen.emplace(users_with(*model, *convert_id(arguments.item, model->item_kind)));

    const ItemIndex& items = model->items.ranking();
    const float* const factors = items.row(*item);
    Array<float> user(items.stride(), 0.0f);  // aligned, which the stored ones are not
    BestUsers best(n);
    chosen.read_factors(arguments.catalog, *model, [&](Id id, const FactorRow& row) {
        std::copy(row.ranking_factors.begin(), row.ranking_factors.end(), user.begin());
        const float score = kernels().dot(user.data(), factors, items.stride() / kLanes);
        if (best.may_enter(score) && !(seen && id.find_in(seen->users()))) best.push(score, std::move(id));
    });
    best.put(fcinfo, kind, model->user_kind);
    return Datum{0};
}

}  // namespace

MF_ID_FUNCTIONS(mf_recommend_users, recommend_users)

}  // namespace mf::pg
