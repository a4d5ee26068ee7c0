#include "pg/training/item_features.hpp"

#include <algorithm>

#include "core/training/feature_map.hpp"
#include "pg/features/feature_rows.hpp"
#include "pg/sql/quoting.hpp"
#include "pg/wall/environment.hpp"

namespace mf::pg {

ItemFeatures::ItemFeatures(const TrainArguments& arguments, Environment& environment) {
    if (!arguments.item_features) return;
    name_ = arguments.item_features->name;
    features_ = read_features(*arguments.item_features, InvalidOid, environment);
    if (!features_)
        throw SqlError(ERRCODE_DATA_EXCEPTION, "there are no features in " + name_,
                       "No row that the current user can see has an id and a feature.",
                       "Look at SELECT * FROM mf_features(" + quoted_literal(name_) + ", " +
                           quoted_literal(arguments.item_features->id.name) + "), or leave item_features out.");
}

std::size_t ItemFeatures::memory(const TrainOptions& options) const {
    if (!features_) return 0;
    const Dataset& rows = features_->rows;
    const int most = std::max(options.factors, options.rating_factors_or_default());
    const double bytes = feature_bytes(rows.users.size(), rows.items.size(), rows.by_user.entries(), most);
    return static_cast<std::size_t>(std::min(bytes, 0x1.0p62)) + rows.users.memory() + rows.items.memory();
}

void ItemFeatures::join(Dataset& dataset, Environment& environment) {
    if (!features_) return;
    const std::uint32_t added = add_items(dataset, features_->rows.users, environment);
    if (added > 0)
        report(NOTICE,
               std::to_string(added) + (added == 1 ? " item of " : " items of ") + name_ +
                   (added == 1 ? " has" : " have") + " features and no interactions",
               "Lists have them by their features.");
    values_ = values_of_ids(*features_, dataset.items);
    features_->rows.by_user = {};
}

}  // namespace mf::pg
