// The relation of the features of users as serving finds it. A model goes on to serve when it can be read no longer.
#pragma once

#include "pg/cache/serving_model.hpp"
#include "pg/features/feature_rows.hpp"

namespace mf::pg {

/// current_features() of the users of a version. Nothing if the relation was dropped, if the owner may not read it, or
/// if it is not what the version was trained with; the first time in a session and for a version, a WARNING says which
/// of these, and what can be done about it. Throws whatever else ends the look, such as a cancel.
std::optional<FeatureRelation> readable_user_features(const Catalog& catalog, const ServedVersion& model);

/// The plan that the session keeps with the model, made anew if the relation or the owner have changed; null where
/// readable_user_features() gives nothing.
std::shared_ptr<const FeaturePlan> readable_plan(const Catalog& catalog, ServingModel& model);

}  // namespace mf::pg
