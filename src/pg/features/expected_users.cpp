#include "pg/features/expected_users.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/training/feature_map.hpp"
#include "pg/features/feature_rows.hpp"
#include "pg/features/readable_features.hpp"
#include "pg/wall/environment.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {
namespace {

FeatureRows no_features(IdKind kind) { return {Dataset{IdTable(kind), IdTable(IdKind::Text), {}, {}, 0}, {}}; }

void check_memory(const ServedVersion& model, std::size_t bytes, std::size_t users) {
    if (bytes <= setting_max_memory()) return;
    throw MemoryLimitExceeded("the features of users of model \"" + model.name + "\" need at least " +
                                  megabytes(bytes) + " of memory, mf_ext.max_memory is " +
                                  megabytes(setting_max_memory()),
                              std::to_string(users) + " users have features.",
                              "Raise mf_ext.max_memory, or train again without what few users have in common.");
}

std::size_t bytes_of(const FactorMatrix& matrix) { return matrix.rows() * matrix.stride() * sizeof(float); }

/// The map of all features, or of those that are named.
StoredMap map_of(const Catalog& catalog, const ServedVersion& model, const Ids* names) {
    const std::string label = version_label(model.name, model.version.version);
    const std::int64_t id = model.version.model_id;
    std::optional<StoredMap> map = names != nullptr
                                       ? read_feature_map_of(catalog, Side::Users, id, *names, model.shape(), label)
                                       : read_feature_map(catalog, Side::Users, id, model.shape(), label);
    if (!map)
        throw SqlError(ERRCODE_DATA_CORRUPTED, label + " lacks the factors of features", "", "Train the model again.");
    return std::move(*map);
}

/// The features of one user; nothing if the relation has none, or if it cannot be read.
std::optional<FeatureRows> features_of(const Catalog& catalog, ServingModel& model, const Id& user,
                                       Environment& environment) {
    const std::shared_ptr<const FeaturePlan> plan = readable_plan(catalog, model);
    if (plan == nullptr) return std::nullopt;
    try {
        return plan->read(user, environment);
    } catch (...) {
        // The relation may have been altered.
        if (model.user_features == plan) model.user_features.reset();
        throw;
    }
}

}  // namespace

ExpectedUsers::ExpectedUsers(StoredMap map, FeatureRows features, Environment& environment)
    : map_(std::move(map)), users_(std::move(features.rows.users)) {
    const Csr known = with_columns(features.rows.by_user, features.rows.items, map_.features, environment);
    features.rows.by_user = {};
    scaled_ = scale_features(known, map_.scales, environment);
}

std::optional<ExpectedUsers> ExpectedUsers::read(const Catalog& catalog, const ServedVersion& model,
                                                 const IdTable& users, Environment& environment, bool reads_only) {
    if (!model.version.has_user_features) return std::nullopt;
    std::optional<FeatureRows> features;
    if (const std::optional<FeatureRelation> relation = readable_user_features(catalog, model))
        features = read_features_among(*relation, users, model.version.owner, environment, reads_only);
    if (!features) features = no_features(model.user_kind);
    const Dataset& rows = features->rows;
    constexpr std::size_t kBytesAFeature = 24;  // with its column and value: as read, of the map, scaled
    constexpr std::size_t kBytesAUser = 32;
    const std::size_t bytes = users.memory() + rows.users.memory() + rows.items.memory() +
                              kBytesAFeature * rows.by_user.entries() + kBytesAUser * std::size_t{rows.users.size()};
    check_memory(model, bytes, rows.users.size());
    StoredMap map = map_of(catalog, model, nullptr);
    check_memory(model, bytes + map.features.memory() + bytes_of(map.ranking) + bytes_of(map.rating),
                 rows.users.size());
    return ExpectedUsers(std::move(map), std::move(*features), environment);
}

UserCenter ExpectedUsers::of(const Id& user) const {
    UserCenter center;
    const std::optional<std::uint32_t> row = user.find_in(users_);
    const std::uint32_t intercept = map_.features.size();
    const float one = 1.0f;
    const std::span<const std::uint32_t> features = row ? scaled_.row_columns(*row) : std::span(&intercept, 1);
    const std::span<const float> values = row ? scaled_.row_values(*row) : std::span(&one, 1);
    // What no user of the training run had tells nothing.
    center.has_features = std::ranges::any_of(
        features, [&](std::uint32_t feature) { return feature != intercept && map_.scales[feature].scale != 0; });
    center.ranking = Array<float>(map_.ranking.stride());
    expected_row(features, values, map_.ranking, center.ranking.data());
    if (map_.rating.rows() == 0) return center;
    Array<float> with_bias(map_.rating.stride());
    expected_row(features, values, map_.rating, with_bias.data());
    const auto count = static_cast<std::size_t>(map_.rating.factors() - 1);
    center.rating = Array<float>(FactorView(nullptr, 0, static_cast<int>(count)).stride(), 0.0f);
    std::copy_n(with_bias.begin(), count, center.rating.begin());
    center.rating_bias = with_bias[count];
    return center;
}

UserCenter center_of_user(const Catalog& catalog, ServingModel& model, const Id& user) {
    if (!model.version.has_user_features) return {};
    Environment environment = quiet_environment();
    std::optional<FeatureRows> features = features_of(catalog, model, user, environment);
    if (!features) return center_of_anyone(catalog, model);
    StoredMap map = map_of(catalog, model, &features->rows.items);
    return ExpectedUsers(std::move(map), std::move(*features), environment).of(user);
}

UserCenter center_of_anyone(const Catalog& catalog, const ServedVersion& model) {
    if (!model.version.has_user_features) return {};
    const IdTable none(IdKind::Text);
    Environment environment = quiet_environment();
    const ExpectedUsers users(map_of(catalog, model, &none), no_features(model.user_kind), environment);
    return users.of(Id{model.user_kind, 0, {}});
}

}  // namespace mf::pg
