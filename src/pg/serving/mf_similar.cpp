// mf_similar_items, mf_similar_users: by the cosine of ranking factors.
#include <algorithm>
#include <limits>

#include "core/linalg/kernels.hpp"
#include "core/retrieval/top_n.hpp"
#include "pg/cache/model_for_call.hpp"
#include "pg/models/factor_rows.hpp"
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
    return {list_arguments_unsafe(fcinfo, 1), id_argument_unsafe(fcinfo, 0, kind)};
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
        serving_model(arguments.catalog, arguments.model, kind, NamedIds::Items);
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

struct SimilarUser {
    float similarity;
    Id id;
};

/// More similar first, ties by id.
bool before(const SimilarUser& a, const SimilarUser& b) {
    if (a.similarity != b.similarity) return a.similarity > b.similarity;
    return a.id.kind == IdKind::Integer ? a.id.integer < b.id.integer : a.id.bytes < b.id.bytes;
}

/// The n users of the training that are most similar to a vector. Reads all of their rows.
std::vector<SimilarUser> nearest_users(const Catalog& catalog, const ServingModel& model, const Array<float>& vector,
                                       const Id& self, std::size_t n) {
    require_user_factors(catalog, "mf_similar_users()");
    const Cosine cosine(vector.data(), vector.size());
    Array<float> other(vector.size(), 0.0f);
    std::vector<SimilarUser> nearest;  // a heap with the last of them on top
    read_all_user_factors(catalog, model.version.model_id, model.shape(), [&](const FactorRow& row) {
        std::copy(row.ranking_factors.begin(), row.ranking_factors.end(), other.begin());
        const float similarity = cosine.of(other.data());
        if (std::isnan(similarity) || (nearest.size() == n && similarity < nearest.front().similarity)) return;
        std::optional<Id> id = parse_id(row.id, model.user_kind);
        if (!id || (id->integer == self.integer && id->bytes == self.bytes)) return;
        nearest.push_back({similarity, std::move(*id)});
        std::push_heap(nearest.begin(), nearest.end(), before);
        if (nearest.size() <= n) return;
        std::pop_heap(nearest.begin(), nearest.end(), before);
        nearest.pop_back();
    });
    std::sort_heap(nearest.begin(), nearest.end(), before);
    return nearest;
}

Datum similar_users(FunctionCallInfo fcinfo, IdKind kind) {
    const Arguments arguments = pg_call([fcinfo, kind] { return read_arguments_unsafe(fcinfo, kind); });
    const std::size_t n = list_length(arguments.n);
    if (arguments.id.null || n == 0) return Datum{0};
    const std::shared_ptr<ServingModel> model =
        serving_model(arguments.catalog, arguments.model, kind, NamedIds::Users);
    const Id self = user_id(*model, arguments.id);
    const UserState user = user_in_snapshot(arguments.catalog, *model, self, false);
    if (user.basis == Basis::Popular) return Datum{0};
    IdTable ids(model->user_kind);
    std::vector<ListRow> rows;
    for (const SimilarUser& other : nearest_users(arguments.catalog, *model, user.ranking_factors, self, n))
        rows.push_back({other.id.intern_in(ids), other.similarity});
    put_list(fcinfo, kind, ids, rows, nullptr);
    return Datum{0};
}

}  // namespace

MF_ID_FUNCTIONS(mf_similar_items, similar_items)
MF_ID_FUNCTIONS(mf_similar_users, similar_users)

}  // namespace mf::pg
