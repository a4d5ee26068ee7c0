#include "pg/features/mapped_features.hpp"

#include "core/training/feature_map.hpp"

namespace mf::pg {

StoredMap map_of(const Catalog& catalog, Side side, const ServedVersion& model, const Ids* names) {
    const std::string label = version_label(model.name, model.version.version);
    std::optional<StoredMap> map = read_feature_map(catalog, side, model.version.model_id, names, model.shape(), label);
    if (!map)
        throw SqlError(ERRCODE_DATA_CORRUPTED, label + " lacks the factors of features", "", "Train the model again.");
    return std::move(*map);
}

MappedFeatures::MappedFeatures(StoredMap map, FeatureRows features, Environment& environment)
    : map_(std::move(map)), ids_(std::move(features.rows.users)), intercept_(map_.features.size()) {
    const Csr known = with_columns(features.rows.by_user, features.rows.items, map_.features, environment);
    features.rows.by_user = {};
    scaled_ = scale_features(known, map_.scales, environment);
}

std::size_t MappedFeatures::joining_bytes(const FeatureRows& features) {
    constexpr std::size_t kBytesAFeature = 24;  // with its column and value: as read, of the map, scaled
    constexpr std::size_t kBytesAnId = 32;
    const Dataset& rows = features.rows;
    return rows.users.memory() + rows.items.memory() + kBytesAFeature * rows.by_user.entries() +
           kBytesAnId * std::size_t{rows.users.size()};
}

std::size_t MappedFeatures::memory() const {
    return map_.memory() + ids_.memory() + 8 * scaled_.entries() + 8 * std::size_t{scaled_.rows()};
}

MappedRow MappedFeatures::row(std::optional<std::uint32_t> index) const {
    static constexpr float kOne = 1.0f;
    if (!index) return {std::span(&intercept_, 1), std::span(&kOne, 1)};
    return {scaled_.row_columns(*index), scaled_.row_values(*index)};
}

ExpectedRows MappedFeatures::expected(const Ids& ids, Environment& environment) const {
    constexpr std::size_t kIdsATask = 64;
    ExpectedRows result{FactorMatrix(ids.size(), map_.ranking.factors(), environment), {}};
    const bool has_rating = map_.rating.rows() > 0;
    if (has_rating) result.rating = FactorMatrix(ids.size(), map_.rating.factors(), environment);
    parallel_ranges(environment, ids.size(), kIdsATask, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t i = begin; i < end; ++i) {
            const auto [columns, values] = row(ids_.find(ids, static_cast<std::uint32_t>(i)));
            expected_row(columns, values, map_.ranking, result.ranking.row(i));
            if (has_rating) expected_row(columns, values, map_.rating, result.rating.row(i));
        }
    });
    return result;
}

}  // namespace mf::pg
