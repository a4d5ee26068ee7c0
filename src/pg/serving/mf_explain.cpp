// mf_explain
#include <algorithm>

#include "pg/cache/model_for_call.hpp"
#include "pg/serving/history.hpp"
#include "pg/sql/results.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/environment.hpp"

namespace mf::pg {
namespace {

struct Arguments : ListArguments {
    IdView user;
    IdView item;
};

Arguments read_arguments_unsafe(FunctionCallInfo fcinfo, IdKind kind) {
    return {list_arguments_unsafe(fcinfo, 2, 4), id_argument_unsafe(fcinfo, 0, kind),
            id_argument_unsafe(fcinfo, 1, kind)};
}

/// The n greatest contributions, ties by item.
std::vector<ListRow> contributions(ServingModel& model, std::span<const HistoryEntry> history, std::uint32_t item,
                                   std::size_t n) {
    std::vector<float> values(history.size());
    Environment environment = quiet_environment();
    model.ranking_fold_in->explain(history, item, values.data(), &environment);
    std::vector<ListRow> rows;
    for (std::size_t i = 0; i < history.size(); ++i) rows.push_back({history[i].item, values[i]});
    keep_first(rows, n, [](const ListRow& a, const ListRow& b) {
        return a.number > b.number || (a.number == b.number && a.item < b.item);
    });
    return rows;
}

Datum explain(FunctionCallInfo fcinfo, IdKind kind) {
    const Arguments arguments = pg_call([fcinfo, kind] { return read_arguments_unsafe(fcinfo, kind); });
    const std::size_t n = list_length(arguments.n);
    if (arguments.user.null || arguments.item.null || n == 0) return Datum{0};
    const std::shared_ptr<ServingModel> model =
        serving_model(arguments.catalog, arguments.model, arguments.version, kind);
    const std::optional<std::uint32_t> item = known_item(*model, arguments.item);
    // The factors that the contributions belong to follow from the history, whether they are stored or not.
    const History history = read_history(*model, user_id(*model, arguments.user));
    if (!item || history.entries.empty()) return Datum{0};
    put_list(fcinfo, kind, model->items.ids(), contributions(*model, history.entries, *item, n), nullptr);
    return Datum{0};
}

}  // namespace

MF_ID_FUNCTIONS(mf_explain, explain)

}  // namespace mf::pg
