// The relation of features that a model was trained with, as it is now.
#pragma once

#include "pg/cache/serving_model.hpp"
#include "pg/features/feature_relation.hpp"

namespace mf::pg {

/// As describe_features() with the rights of the model's owner, of a side that the model was trained with features of.
/// Throws undefined_table if the relation was dropped, insufficient_privilege if the owner may not read it, and
/// undefined_column or datatype_mismatch if it is no longer what the model was trained with; the hint is what can be
/// done about it.
FeatureRelation current_features(const ServedVersion& model, Side side);

}  // namespace mf::pg
