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

/// `taken`: of the bytes, those of others.
void check_memory(const ServedVersion& model, std::size_t bytes, std::size_t users, std::size_t taken) {
    if (bytes <= setting_max_memory()) return;
    throw MemoryLimitExceeded("the features of users of model \"" + model.name + "\" need at least " +
                                  megabytes(bytes) + " of memory, mf_ext.max_memory is " +
                                  megabytes(setting_max_memory()),
                              std::to_string(users) + " users have features." +
                                  (taken > 0 ? " What is held beside them takes " + megabytes(taken) + "." : ""),
                              "Raise mf_ext.max_memory, or train again without what few users have in common.");
}

/// The features of one user; nothing if the relation cannot be read.
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

std::optional<ExpectedUsers> ExpectedUsers::read(const Catalog& catalog, const ServedVersion& model,
                                                 const IdTable& users, Environment& environment, bool reads_only,
                                                 std::size_t taken) {
    if (!model.version.features.users) return std::nullopt;
    const std::optional<FeatureRelation> relation = readable_user_features(catalog, model);
    FeatureRows features = relation
                               ? read_features_among(*relation, users, model.version.owner, environment, reads_only)
                               : no_features(model.user_kind);
    const std::size_t bytes = taken + users.memory() + MappedFeatures::joining_bytes(features);
    const std::uint32_t count = features.rows.users.size();
    check_memory(model, bytes, count, taken);
    StoredMap map = map_of(catalog, Side::Users, model, nullptr);
    check_memory(model, bytes + map.memory(), count, taken);
    return ExpectedUsers({std::move(map), std::move(features), environment});
}

UserCenter ExpectedUsers::of(const Id& user) const {
    UserCenter center;
    const StoredMap& map = features_.map();
    const auto [columns, values] = features_.row(user);
    // What no user of the training run had tells nothing.
    center.has_features = std::ranges::any_of(columns, [&map](std::uint32_t feature) {
        return feature < map.scales.size() && map.scales[feature].scale != 0;
    });
    center.ranking = Array<float>(map.ranking.stride());
    expected_row(columns, values, map.ranking, center.ranking.data());
    if (map.rating.rows() == 0) return center;
    Array<float> joined(map.rating.stride());
    expected_row(columns, values, map.rating, joined.data());
    const int count = map.rating.factors() - 1;
    center.rating = Array<float>(FactorMatrix::padded(count), 0.0f);
    center.rating_bias = split_bias(joined.data(), count, center.rating.data());
    return center;
}

UserCenter center_of_user(const Catalog& catalog, ServingModel& model, const Id& user) {
    if (!model.version.features.users) return {};
    Environment environment = quiet_environment();
    std::optional<FeatureRows> features = features_of(catalog, model, user, environment);
    if (!features) return center_of_anyone(catalog, model);
    StoredMap map = map_of(catalog, Side::Users, model, &features->rows.items);
    return ExpectedUsers({std::move(map), std::move(*features), environment}).of(user);
}

UserCenter center_of_anyone(const Catalog& catalog, const ServedVersion& model) {
    if (!model.version.features.users) return {};
    FeatureRows none = no_features(model.user_kind);
    StoredMap map = map_of(catalog, Side::Users, model, &none.rows.items);
    Environment environment = quiet_environment();
    return ExpectedUsers({std::move(map), std::move(none), environment}).of(Id{model.user_kind, 0, {}});
}

}  // namespace mf::pg
