// The relation of features that a model was trained with, as it is now.
#pragma once

#include "pg/features/feature_relation.hpp"
#include "pg/sql/catalog.hpp"

namespace mf::pg {

/// As describe_features() with the rights of the model's owner, for the items or users of `model`, whose ids are of
/// `kind` and in a column called `id_column`.
/// Throws undefined_table if the relation was dropped, insufficient_privilege if the owner may not read it, and
/// undefined_column or datatype_mismatch if it is no longer what the model was trained with; the hint is what can be
/// done about it.
FeatureRelation current_features(const std::string& model, Oid relation, const char* id_column, IdKind kind, Oid owner,
                                 Side side = Side::Items);

}  // namespace mf::pg
