// mf_explain_item: what each feature of an item contributes to its factors.
#include <algorithm>
#include <cmath>

#include "pg/cache/model_for_call.hpp"
#include "pg/features/current_features.hpp"
#include "pg/features/feature_rows.hpp"
#include "pg/features/mapped_features.hpp"
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
    return {list_arguments_unsafe(fcinfo, 1, 3), id_argument_unsafe(fcinfo, 0, kind)};
}

void require_features(const ServingModel& model) {
    if (model.version.features.items) return;
    throw SqlError(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                   "model \"" + model.name + "\" was trained without features of items", "",
                   "Train it with a relation of features: mf_train(..., options => '{\"item_features\": \"...\"}').");
}

/// The features of an item as its relation has them now, but for those that the map does not have.
MappedFeatures features_of(const Catalog& catalog, const ServingModel& model, const Id& item) {
    const FeatureRelation relation = current_features(model, Side::Items);
    Environment environment = quiet_environment();
    FeatureRows features = read_features_of(relation, {&item, 1}, model.version.owner, environment, true);
    StoredMap map = map_of(catalog, Side::Items, model, &features.rows.items);
    return {std::move(map), std::move(features), environment};
}

double dot(const float* a, const float* b, int count) {
    double sum = 0;
    for (int i = 0; i < count; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    return sum;
}

/// With g the item's features, B the map and y its factors, g_f (B_f · y) / |y|²: for an item without interactions,
/// where y is Bᵀ g, they add up to 1. None if y is 0.
std::vector<ListRow> weights(const StoredMap& map, const MappedRow& features, const float* factors) {
    const int count = map.ranking.factors();
    const double square = dot(factors, factors, count);
    std::vector<ListRow> rows;
    if (!(square > 0)) return rows;
    for (std::size_t j = 0; j < features.columns.size(); ++j) {
        const std::uint32_t feature = features.columns[j];
        const auto value = static_cast<double>(features.values[j]);
        rows.push_back({feature, static_cast<float>(value * dot(map.ranking.row(feature), factors, count) / square)});
    }
    return rows;
}

Datum explain_item(FunctionCallInfo fcinfo, IdKind kind) {
    const Arguments arguments = pg_call([fcinfo, kind] { return read_arguments_unsafe(fcinfo, kind); });
    const std::size_t n = list_length(arguments.n);
    if (arguments.item.null || n == 0) return Datum{0};
    const std::shared_ptr<ServingModel> model =
        serving_model(arguments.catalog, arguments.model, arguments.version, kind, NamedIds::Items);
    require_features(*model);
    const std::optional<std::uint32_t> index = known_item(*model, arguments.item);
    if (!index) return Datum{0};
    const Id item = *convert_id(arguments.item, model->item_kind);
    const MappedFeatures features = features_of(arguments.catalog, *model, item);
    std::vector<ListRow> rows = weights(features.map(), features.row(item), model->items.ranking().row(*index));
    const std::uint32_t intercept = features.map().features.size();
    IdTable names(IdKind::Text);
    for (std::uint32_t feature = 0; feature < intercept; ++feature) names.intern(features.map().features, feature);
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
