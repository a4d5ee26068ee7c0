#include "pg/training/expected_items.hpp"

#include "core/training/feature_map.hpp"
#include "pg/features/current_features.hpp"
#include "pg/features/feature_rows.hpp"
#include "pg/training/interactions_scan.hpp"

namespace mf::pg {

std::optional<ExpectedItems> ExpectedItems::read(const Catalog& catalog, const ServedVersion& model,
                                                 Environment& environment) {
    std::optional<StoredMap> map = read_feature_map(catalog, Side::Items, model.version.model_id, model.shape(),
                                                    version_label(model.name, model.version.version));
    if (!map) return std::nullopt;
    const std::size_t bytes =
        (map->ranking.rows() * map->ranking.stride() + map->rating.rows() * map->rating.stride()) * sizeof(float);
    require_refresh_memory(map->features.memory() + bytes, map->features.size(), "features of the version read");
    const ModelVersion& version = model.version;
    const FeatureRelation relation = current_features(model.name, version.item_features, NameStr(version.item_column),
                                                      model.item_kind, version.owner);
    std::optional<FeatureRows> features = read_features(relation, version.owner, environment);
    if (!features) features = FeatureRows{Dataset{IdTable(model.item_kind), IdTable(IdKind::Text), {}, {}, 0}, {}};
    return ExpectedItems(std::move(*map), std::move(*features));
}

ExpectedRows ExpectedItems::of(const Ids& items, Environment& environment) const {
    const FeatureValues values = values_of_ids(features_, items);
    const Csr scaled = scale_features(with_columns(values.rows, features_.rows.items, map_.features), map_.scales);
    ExpectedRows expected{expected_factors(scaled, map_.ranking, environment), {}};
    if (map_.rating.rows() > 0) expected.rating = expected_factors(scaled, map_.rating, environment);
    return expected;
}

}  // namespace mf::pg
