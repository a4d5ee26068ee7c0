#include "pg/training/expected_items.hpp"

#include <algorithm>

#include "core/pipeline/train.hpp"
#include "core/training/feature_map.hpp"
#include "pg/features/current_features.hpp"
#include "pg/features/feature_rows.hpp"
#include "pg/sql/ids.hpp"
#include "pg/training/interactions_scan.hpp"

namespace mf::pg {
namespace {

std::size_t row_bytes(const FactorMatrix& matrix) { return matrix.stride() * sizeof(float); }

/// Bytes that the items take as texts, in lists of them and as the parameter of a query.
std::size_t text_bytes(const IdTable& ids) {
    constexpr std::size_t kLongestOfOthers = 36;  // of a uuid; an integer has 20
    return ids_memory(IdKind::Text, ids.size(),
                      ids.kind() == IdKind::Text ? ids.parts().arena.size() : ids.size() * kLongestOfOthers);
}

/// The items as they are stored, by their rows.
SolvedItems solved_as(ExpectedRows rows, const IdTable& ids, Environment& environment) {
    SolvedItems items;
    for (std::uint32_t item = 0; item < ids.size(); ++item) items.ids.push_back(ids.text(item));
    items.interactions.assign(ids.size(), 0);
    items.source_rows.assign(ids.size(), 0);
    items.ranking = std::move(rows.ranking);
    if (rows.rating.rows() == 0) return items;
    SplitFactors rating = split_bias(rows.rating, environment);
    items.rating = std::move(rating.factors);
    items.rating_bias = std::move(rating.bias);
    return items;
}

/// True if the model has the item with these factors and without interactions.
bool has_as_expected(const ServedVersion& model, std::uint32_t item, const SolvedItems& items, std::uint32_t row) {
    const ItemIndex& ranking = model.items.ranking();
    const auto same = [](const float* a, const float* b, std::size_t size) { return std::equal(a, a + size, b); };
    if (model.items.interactions()[item] > 0 ||
        !same(items.ranking.row(row), ranking.rows().row(ranking.positions()[item]), items.ranking.stride()))
        return false;
    return !model.rating || (items.rating_bias[row] == model.items.rating_bias()[item] &&
                             same(items.rating.row(row), model.items.rating().row(item), items.rating.stride()));
}

/// Moves row `from` to row `to`, which is before it or the same.
void move_row(SolvedItems& items, std::uint32_t from, std::uint32_t to) {
    if (from == to) return;
    items.ids[to] = std::move(items.ids[from]);
    std::copy_n(items.ranking.row(from), items.ranking.stride(), items.ranking.row(to));
    if (items.rating.rows() == 0) return;
    std::copy_n(items.rating.row(from), items.rating.stride(), items.rating.row(to));
    items.rating_bias[to] = items.rating_bias[from];
}

}  // namespace

std::optional<ExpectedItems> ExpectedItems::read(const Catalog& catalog, const ServedVersion& model,
                                                 Environment& environment) {
    std::optional<StoredMap> map = read_feature_map(catalog, Side::Items, model.version.model_id, nullptr,
                                                    model.shape(), version_label(model.name, model.version.version));
    if (!map) return std::nullopt;
    require_refresh_memory(map->memory(), map->features.size(), "features of the version read");
    const FeatureRelation relation = current_features(model, Side::Items);
    FeatureRows features = read_features(relation, model.version.owner, environment);
    require_refresh_memory(map->memory() + MappedFeatures::joining_bytes(features), features.rows.users.size(),
                           "items with features read");
    return ExpectedItems({std::move(*map), std::move(features), environment});
}

ExpectedRows ExpectedItems::of(const Ids& items, std::size_t taken, Environment& environment) const {
    const StoredMap& map = features_.map();
    require_refresh_memory(taken + features_.memory() + items.size() * (row_bytes(map.ranking) + row_bytes(map.rating)),
                           items.size(), "items are expected by their features");
    return features_.expected(items, environment);
}

ExpectedChanges ExpectedItems::changes(const ServedVersion& model, const IdTable& items, Storage storage,
                                       std::size_t taken, Environment& environment) const {
    // Beside the rows the rating factors once more, without the biases among them.
    const std::size_t stored =
        items.memory() + text_bytes(items) +
        items.size() * (row_bytes(features_.map().rating) + sizeof(std::uint32_t) + sizeof(std::uint64_t));
    ExpectedChanges changes{solved_as(of(items, taken + stored, environment), items, environment), {}};
    SolvedItems& rows = changes.items;
    round_for_storage(storage, rows, environment);
    require_finite(rows.ranking, "ranking factors", environment);
    require_finite(rows.rating, "rating factors", environment);
    require_finite(rows.rating_bias, "rating factors", environment);
    std::uint32_t kept = 0;
    for (std::uint32_t row = 0; row < items.size(); ++row) {
        const auto known = id_at(items, row).find_in(model.items.ids());
        if (known && has_as_expected(model, *known, rows, row)) continue;
        if (known) changes.known.push_back(rows.ids[row]);
        move_row(rows, row, kept++);
    }
    rows.ids.resize(kept);
    return changes;
}

}  // namespace mf::pg
