// mf_explain_item: what each feature of an item contributes to its factors.
#include <algorithm>
#include <cmath>

#include "pg/cache/model_for_call.hpp"
#include "pg/features/current_features.hpp"
#include "pg/features/feature_rows.hpp"
#include "pg/models/feature_map.hpp"
#include "pg/sql/results.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/environment.hpp"

namespace mf::pg {
namespace {

/// How the intercept is called, which every item has.
constexpr std::string_view kOfAllItems = "(all items)";

struct Arguments : ListArguments {
    IdView item;
};

Arguments read_arguments_unsafe(FunctionCallInfo fcinfo, IdKind kind) {
    return {list_arguments_unsafe(fcinfo, 1), id_argument_unsafe(fcinfo, 0, kind)};
}

void require_features(const ServingModel& model) {
    if (model.version.has_item_features) return;
    throw SqlError(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                   "model \"" + model.name + "\" was trained without features of items", "",
                   "Train it with a relation of features: mf_train(..., options => '{\"item_features\": \"...\"}').");
}

/// The features of an item as its relation has them now.
FeatureRows features_of(const ServingModel& model, const Id& item) {
    const ModelVersion& version = model.version;
    const FeatureRelation relation = current_features(model.name, version.item_features, NameStr(version.item_column),
                                                      model.item_kind, version.owner);
    Environment environment = quiet_environment();
    std::optional<FeatureRows> features = read_features_of(relation, {&item, 1}, version.owner, environment, true);
    if (!features) features = FeatureRows{Dataset{IdTable(model.item_kind), IdTable(IdKind::Text), {}, {}, 0}, {}};
    return std::move(*features);
}

/// The map of these features; those that it does not have are left out.
StoredMap map_of(const Catalog& catalog, const ServingModel& model, const Ids& names) {
    const std::string label = version_label(model.name, model.version.version);
    std::optional<StoredMap> map =
        read_feature_map_of(catalog, Side::Items, model.version.model_id, names, model.shape(), label);
    if (!map)
        throw SqlError(ERRCODE_DATA_CORRUPTED, label + " lacks the factors of features", "", "Train the model again.");
    return std::move(*map);
}

/// The item's row of the matrix whose columns are those of the map.
Csr scaled_features(const FeatureRows& features, const Id& item, const StoredMap& map) {
    IdTable items(item.kind);
    item.intern_in(items);
    Environment environment = quiet_environment();
    const FeatureValues values = values_of_ids(features, items, environment);
    return scale_features(with_columns(values.rows, features.rows.items, map.features, environment), map.scales,
                          environment);
}

double dot(const float* a, const float* b, int count) {
    double sum = 0;
    for (int i = 0; i < count; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    return sum;
}

/// With g the item's features, B the map and y its factors, g_f (B_f · y) / |y|²: for an item without interactions,
/// where y is Bᵀ g, they add up to 1. None if y is 0.
std::vector<ListRow> weights(const StoredMap& map, const Csr& scaled, const float* factors) {
    const int count = map.ranking.factors();
    const double square = dot(factors, factors, count);
    std::vector<ListRow> rows;
    if (!(square > 0)) return rows;
    for (std::size_t j = 0; j < scaled.row_size(0); ++j) {
        const std::uint32_t feature = scaled.row_columns(0)[j];
        const auto value = static_cast<double>(scaled.row_values(0)[j]);
        rows.push_back({feature, static_cast<float>(value * dot(map.ranking.row(feature), factors, count) / square)});
    }
    return rows;
}

Datum explain_item(FunctionCallInfo fcinfo, IdKind kind) {
    const Arguments arguments = pg_call([fcinfo, kind] { return read_arguments_unsafe(fcinfo, kind); });
    const std::size_t n = list_length(arguments.n);
    if (arguments.item.null || n == 0) return Datum{0};
    const std::shared_ptr<ServingModel> model =
        serving_model(arguments.catalog, arguments.model, kind, NamedIds::Items);
    require_features(*model);
    const std::optional<std::uint32_t> index = known_item(*model, arguments.item);
    if (!index) return Datum{0};
    const Id item = *convert_id(arguments.item, model->item_kind);
    const FeatureRows features = features_of(*model, item);
    StoredMap map = map_of(arguments.catalog, *model, features.rows.items);
    std::vector<ListRow> rows = weights(map, scaled_features(features, item, map), model->items.ranking().row(*index));
    const std::uint32_t intercept = map.features.size();
    IdTable& names = map.features;
    const std::uint32_t shown = names.intern(kOfAllItems);
    for (ListRow& row : rows)
        if (row.item == intercept) row.item = shown;
    // The greatest weights, negative or positive, ties by name.
    keep_first(rows, n, [&names](const ListRow& a, const ListRow& b) {
        const float left = std::fabs(a.number);
        const float right = std::fabs(b.number);
        return left > right || (left == right && names.bytes(a.item) < names.bytes(b.item));
    });
    put_list(fcinfo, IdKind::Text, names, rows, nullptr);
    return Datum{0};
}

}  // namespace

MF_ID_FUNCTIONS(mf_explain_item, explain_item)

}  // namespace mf::pg
