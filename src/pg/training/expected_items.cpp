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

std::size_t map_bytes(const StoredMap& map) {
    return map.features.memory() + map.scales.size() * sizeof(FeatureScale) +
           map.ranking.rows() * row_bytes(map.ranking) + map.rating.rows() * row_bytes(map.rating);
}

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
    const int k = rows.rating.factors() - 1;
    items.rating = FactorMatrix(ids.size(), k, environment);
    items.rating_bias = Array<float>(ids.size());
    for (std::uint32_t item = 0; item < ids.size(); ++item) {
        std::copy_n(rows.rating.row(item), k, items.rating.row(item));
        items.rating_bias[item] = rows.rating.row(item)[k];
    }
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
    std::optional<StoredMap> map = read_feature_map(catalog, Side::Items, model.version.model_id, model.shape(),
                                                    version_label(model.name, model.version.version));
    if (!map) return std::nullopt;
    require_refresh_memory(map_bytes(*map), map->features.size(), "features of the version read");
    const ModelVersion& version = model.version;
    const FeatureRelation relation = current_features(model.name, version.item_features, NameStr(version.item_column),
                                                      model.item_kind, version.owner);
    std::optional<FeatureRows> features = read_features(relation, version.owner, environment);
    if (!features) features = FeatureRows{Dataset{IdTable(model.item_kind), IdTable(IdKind::Text), {}, {}, 0}, {}};
    return ExpectedItems(std::move(*map), std::move(*features));
}

std::size_t ExpectedItems::memory() const {
    const Dataset& rows = features_.rows;
    return map_bytes(map_) + rows.users.memory() + rows.items.memory() + rows.by_user.entries() * 8 +
           std::size_t{rows.by_user.rows()} * 8;
}

void ExpectedItems::require_memory_for(std::size_t items, std::size_t taken) const {
    // The matrix of features three times: as it was read, with the columns of the map, and scaled with an intercept.
    const std::size_t features = 3 * (8 * features_.rows.by_user.entries() + 12 * items) + 8 * items;
    require_refresh_memory(taken + memory() + features + items * (row_bytes(map_.ranking) + row_bytes(map_.rating)),
                           items, "items are expected by their features");
}

ExpectedRows ExpectedItems::of(const Ids& items, std::size_t taken, Environment& environment) const {
    require_memory_for(items.size(), taken);
    const FeatureValues values = values_of_ids(features_, items, environment);
    const Csr scaled = scale_features(with_columns(values.rows, features_.rows.items, map_.features, environment),
                                      map_.scales, environment);
    ExpectedRows expected{expected_factors(scaled, map_.ranking, environment), {}};
    if (map_.rating.rows() > 0) expected.rating = expected_factors(scaled, map_.rating, environment);
    return expected;
}

ExpectedChanges ExpectedItems::changes(const ServedVersion& model, const IdTable& items, Storage storage,
                                       std::size_t taken, Environment& environment) const {
    // Beside the rows the rating factors once more, without the biases among them.
    const std::size_t stored = items.memory() + text_bytes(items) +
                               items.size() * (row_bytes(map_.rating) + sizeof(std::uint32_t) + sizeof(std::uint64_t));
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
