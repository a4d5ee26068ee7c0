#include "pg/training/training_features.hpp"

#include <algorithm>

#include "core/training/feature_map.hpp"
#include "pg/features/feature_rows.hpp"
#include "pg/sql/quoting.hpp"
#include "pg/wall/environment.hpp"

namespace mf::pg {
namespace {

/// `what`: item or user.
void tell_of_new(std::uint32_t count, const char* what, const std::string& relation, const char* detail) {
    if (count == 0) return;
    report(NOTICE,
           std::to_string(count) + " " + what + (count == 1 ? " of " : "s of ") + relation +
               (count == 1 ? " has" : " have") + " features and no interactions",
           detail);
}

}  // namespace

TrainingFeatures::TrainingFeatures(const TrainArguments& arguments, Environment& environment) {
    if (arguments.item_features) items_.read(*arguments.item_features, "item_features", environment);
    if (arguments.user_features) users_.read(*arguments.user_features, "user_features", environment);
}

void TrainingFeatures::OneSide::read(const FeatureRelation& relation, const char* option, Environment& environment) {
    name = relation.name;
    features = read_features(relation, InvalidOid, environment);
    if (features->rows.users.size() == 0)
        throw SqlError(ERRCODE_DATA_EXCEPTION, "there are no features in " + name,
                       "No row that the current user can see has an id and a feature.",
                       "Look at SELECT * FROM mf_features(" + quoted_literal(name) + ", " +
                           quoted_literal(relation.id.name) + "), or leave " + option + " out.");
}

std::size_t TrainingFeatures::OneSide::memory(const TrainOptions& options, std::uint64_t rows_of_side) const {
    if (!features) return 0;
    const Dataset& rows = features->rows;
    const int most = std::max(options.factors, options.rating_factors_or_default());
    const std::uint64_t entries = values ? values->rows.entries() : rows.by_user.entries();
    const double bytes = feature_bytes(std::max<std::uint64_t>(rows.users.size(), rows_of_side), rows.items.size(),
                                       entries, most, options.feedback);
    return static_cast<std::size_t>(std::min(bytes, 0x1.0p62)) + rows.users.memory() + rows.items.memory();
}

void TrainingFeatures::OneSide::take(const Ids& ids, Environment& environment) {
    values = values_of_ids(*features, ids, environment);
    features->rows.by_user = {};
}

std::size_t TrainingFeatures::memory(const TrainOptions& options, std::uint64_t users, std::uint64_t items) const {
    return items_.memory(options, items) + users_.memory(options, users);
}

void TrainingFeatures::join(Dataset& dataset, Environment& environment) {
    if (items_.features) {
        const std::uint32_t added = add_items(dataset, items_.features->rows.users, environment);
        tell_of_new(added, "item", items_.name, "Lists have them by their features.");
        items_.take(dataset.items, environment);
    }
    if (users_.features) {
        const std::uint32_t described = users_.features->rows.users.size();
        users_.take(dataset.users, environment);
        tell_of_new(described - occupied_rows(users_.values->rows), "user", users_.name,
                    "Their lists go by their features.");
    }
}

}  // namespace mf::pg
