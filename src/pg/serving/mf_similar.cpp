// mf_similar_items, mf_similar_users: by the cosine of ranking factors.
#include <algorithm>
#include <limits>

#include "core/linalg/kernels.hpp"
#include "core/retrieval/top_n.hpp"
#include "pg/cache/model_for_call.hpp"
#include "pg/models/factor_rows.hpp"
#include "pg/serving/best_users.hpp"
#include "pg/serving/user_state.hpp"
#include "pg/sql/results.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/environment.hpp"

namespace mf::pg {
namespace {

struct Arguments : ListArguments {
    IdView id;
};

Arguments read_arguments_unsafe(FunctionCallInfo fcinfo, IdKind kind) {
    return {list_arguments_unsafe(fcinfo, 1, 3), id_argument_unsafe(fcinfo, 0, kind)};
}

/// Cosine of two vectors; NaN if one of them has no direction.
class Cosine {
  public:
    Cosine(const float* to, std::size_t stride) : to_(to), blocks_(stride / kLanes), norm_(norm(to)) {}
    float of(const float* vector) const {
        const double lengths = norm_ * norm(vector);
        if (!(lengths > 0)) return std::numeric_limits<float>::quiet_NaN();
        return static_cast<float>(
            std::clamp(static_cast<double>(kernels().dot(to_, vector, blocks_)) / lengths, -1.0, 1.0));
    }

  private:
    double norm(const float* x) const { return std::sqrt(static_cast<double>(kernels().dot(x, x, blocks_))); }
    const float* to_;
    std::size_t blocks_;
    double norm_;
};

Datum similar_items(FunctionCallInfo fcinfo, IdKind kind) {
    const Arguments arguments = pg_call([fcinfo, kind] { return read_arguments_unsafe(fcinfo, kind); });
    const std::size_t n = list_length(arguments.n);
    if (arguments.id.null || n == 0) return Datum{0};
    const std::shared_ptr<ServingModel> model =
        serving_model(arguments.catalog, arguments.model, arguments.version, kind, NamedIds::Items);
    const std::optional<std::uint32_t> item = known_item(*model, arguments.id);
    if (!item) return Datum{0};
    const ItemIndex& items = model->items.ranking();
    const Cosine cosine(items.row(*item), items.stride());
    BestN best(n);
    Environment environment = quiet_environment();
    constexpr std::uint32_t kItemsPerCheck = 4096;
    for (std::uint32_t other = 0; other < items.items(); ++other) {
        if (other % kItemsPerCheck == 0) check_interrupt(environment);
        const float similarity = other != *item ? cosine.of(items.row(other)) : std::numeric_limits<float>::quiet_NaN();
        if (!std::isnan(similarity)) best.push({other, similarity});
    }
    std::vector<ListRow> rows;
    for (const ScoredItem& scored : best.take_sorted()) rows.push_back({scored.item, scored.score});
    put_list(fcinfo, kind, model->items.ids(), rows, nullptr);
    return Datum{0};
}

Datum similar_users(FunctionCallInfo fcinfo, IdKind kind) {
    const Arguments arguments = pg_call([fcinfo, kind] { return read_arguments_unsafe(fcinfo, kind); });
    const std::size_t n = list_length(arguments.n);
    if (arguments.id.null || n == 0) return Datum{0};
    const std::shared_ptr<ServingModel> model =
        serving_model(arguments.catalog, arguments.model, arguments.version, kind, NamedIds::Users);
    const Id self = user_id(*model, arguments.id);
    require_stored_users(arguments.catalog, "mf_similar_users()", model->stores_users(), model->name);
    const UserState user = user_in_snapshot(arguments.catalog, *model, self, false);
    if (user.basis == Basis::Popular) return Datum{0};
    const std::string label = version_label(model->name, model->version.version);
    const Cosine cosine(user.ranking_factors.data(), user.ranking_factors.size());
    Array<float> other(user.ranking_factors.size(), 0.0f);
    BestUsers best(n);
    read_all_user_factors(arguments.catalog, model->version.model_id, model->shape(), [&](const FactorRow& row) {
        std::copy(row.ranking_factors.begin(), row.ranking_factors.end(), other.begin());
        const float similarity = cosine.of(other.data());
        if (!best.may_enter(similarity)) return;
        Id id = stored_id(row.id, model->user_kind, "user", label);
        if (id.integer != self.integer || id.bytes != self.bytes) best.push(similarity, std::move(id));
    });
    best.put(fcinfo, kind, model->user_kind);
    return Datum{0};
}

}  // namespace

MF_ID_FUNCTIONS(mf_similar_items, similar_items)
MF_ID_FUNCTIONS(mf_similar_users, similar_users)

}  // namespace mf::pg
