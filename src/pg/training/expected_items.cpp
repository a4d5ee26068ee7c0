#include "pg/training/expected_items.hpp"

#include "core/training/feature_map.hpp"
#include "pg/features/feature_relation.hpp"
#include "pg/features/feature_rows.hpp"

namespace mf::pg {
namespace {

FeatureRelation current_relation(const ServedVersion& model) {
    const ModelVersion& version = model.version;
    if (!relation_exists(version.item_features))
        throw SqlError(
            ERRCODE_UNDEFINED_TABLE, "the features of the items of model \"" + model.name + "\" do not exist any more",
            "The model goes on to serve.", "Train the model again, with features from another relation or without.");
    const FeatureRelation relation =
        describe_features(version.item_features, NameStr(version.item_column), version.owner);
    if (relation.id.kind() == model.item_kind) return relation;
    throw SqlError(
        ERRCODE_DATATYPE_MISMATCH,
        "column \"" + relation.id.name + "\" of " + relation.name + " is now of type " + type_name(relation.id.type),
        "The model goes on to serve.", "Train the model again.");
}

}  // namespace

std::optional<ExpectedItems> ExpectedItems::read(const Catalog& catalog, const ServedVersion& model,
                                                 Environment& environment) {
    std::optional<StoredItemMap> map =
        read_item_map(catalog, model.version.model_id, model.shape(), version_label(model.name, model.version.version));
    if (!map) return std::nullopt;
    std::optional<FeatureRows> features = read_features(current_relation(model), model.version.owner, environment);
    if (!features) features.emplace(Dataset{IdTable(model.item_kind), IdTable(IdKind::Text), {}, {}, 0});
    return ExpectedItems(std::move(*map), std::move(*features));
}

ExpectedRows ExpectedItems::of(const Ids& items, Environment& environment) const {
    const FeatureValues values = values_of_items(features_, items);
    const Csr scaled = scale_features(with_columns(values.rows, features_.rows.items, map_.features), map_.scales);
    ExpectedRows expected{expected_factors(scaled, map_.ranking, environment), {}};
    if (map_.rating.rows() > 0) expected.rating = expected_factors(scaled, map_.rating, environment);
    return expected;
}

}  // namespace mf::pg
