// mf_recommend
#include <algorithm>
#include <limits>

#include "core/top_n.hpp"
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/results.hpp"
#include "pg/user_state.hpp"

namespace mf::pg {
namespace {

struct Arguments {
    Catalog catalog;
    IdView user;
    bool n_null;
    std::int32_t n;
    const char* model;
    bool exclude_seen;
    IdArrayView candidates;
    IdArrayView exclude;
};

Arguments read_arguments_unsafe(FunctionCallInfo fcinfo, IdKind kind) {
    begin_rows_unsafe(fcinfo);
    Arguments arguments;
    arguments.catalog = catalog_unsafe(fcinfo);
    arguments.user = id_argument_unsafe(fcinfo, 0, kind);
    arguments.n_null = PG_ARGISNULL(1);
    arguments.n = arguments.n_null ? 0 : PG_GETARG_INT32(1);
    arguments.model = text_argument_unsafe(fcinfo, 2);
    arguments.exclude_seen = PG_ARGISNULL(3) || PG_GETARG_BOOL(3);
    arguments.candidates = id_array_argument_unsafe(fcinfo, 4, kind);
    arguments.exclude = id_array_argument_unsafe(fcinfo, 5, kind);
    return arguments;
}

std::vector<std::uint32_t> merged(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
    std::vector<std::uint32_t> all;
    all.reserve(a.size() + b.size());
    std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all));
    return all;
}

bool contains(const std::vector<std::uint32_t>& sorted, std::uint32_t item) {
    return std::binary_search(sorted.begin(), sorted.end(), item);
}

/// The n most popular items that are not excluded, among the candidates if there is such a list.
std::vector<ScoredItem> most_popular(const ServingModel& model, std::size_t n,
                                     const std::vector<std::uint32_t>* candidates,
                                     const std::vector<std::uint32_t>& excluded) {
    std::vector<ScoredItem> list;
    for (const std::uint32_t item : model.by_popularity) {
        if (list.size() == n) break;
        if (contains(excluded, item) || (candidates != nullptr && !contains(*candidates, item))) continue;
        list.push_back({item, static_cast<float>(model.interactions[item])});
    }
    return list;
}

Datum recommend(FunctionCallInfo fcinfo, IdKind kind) {
    const Arguments arguments = pg_call([fcinfo, kind] { return read_arguments_unsafe(fcinfo, kind); });
    if (arguments.n < 0)
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "n must not be negative, it is " + std::to_string(arguments.n));
    if (arguments.user.null || arguments.n == 0) return Datum{0};
    const std::shared_ptr<ServingModel> model = serving_model(arguments.catalog, arguments.model, kind);
    const UserState user =
        user_for_list(arguments.catalog, *model, user_id(*model, arguments.user), arguments.exclude_seen);

    std::vector<std::uint32_t> excluded = known_items(*model, arguments.exclude);
    if (arguments.exclude_seen) excluded = merged(excluded, user.history.seen);
    std::optional<std::vector<std::uint32_t>> candidates;
    if (arguments.candidates.count >= 0) candidates = known_items(*model, arguments.candidates);
    const auto n = static_cast<std::size_t>(arguments.n);
    std::vector<ScoredItem> list;
    if (user.basis == Basis::Popular)
        list = most_popular(*model, n, candidates ? &*candidates : nullptr, excluded);
    else if (candidates)
        list = top_n_of(user.ranking_factors.data(), model->index->get(), n, *candidates, excluded);
    else
        list = top_n(user.ranking_factors.data(), model->index->get(), n, excluded);

    std::vector<ListRow> rows;
    rows.reserve(list.size());
    for (const ScoredItem& item : list)
        rows.push_back({item.item, item.score,
                        model->rating ? predict_item_rating(*model, user, item.item)
                                      : std::numeric_limits<float>::quiet_NaN()});
    put_list(fcinfo, kind, model->items, rows, basis_name(user.basis));
    return Datum{0};
}

}  // namespace

MF_FUNCTION(mf_recommend_integer) { return recommend(fcinfo, IdKind::Integer); }
MF_FUNCTION(mf_recommend_uuid) { return recommend(fcinfo, IdKind::Uuid); }
MF_FUNCTION(mf_recommend_text) { return recommend(fcinfo, IdKind::Text); }

}  // namespace mf::pg
