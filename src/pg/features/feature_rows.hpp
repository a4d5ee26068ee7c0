// Relation of features → FeatureRows.
#pragma once

#include "core/data/features.hpp"
#include "pg/features/feature_relation.hpp"

namespace mf::pg {

/// Reads all rows, with the rights of `reader`, InvalidOid meaning the current user; code in the relation runs as the
/// current user. Sees what was committed last. A NULL, an empty text, an empty array and a weight of 0 are no feature;
/// there is nothing if no row has any. Throws
/// - numeric_value_out_of_range for a number that is not finite in type real, and for such or a negative weight,
/// - program_limit_exceeded for a name or an id that no index could hold,
/// - datatype_mismatch for an object in jsonb, and for an array in another,
/// - MemoryLimitExceeded as soon as what was read takes more than mf_ext.max_memory.
std::optional<FeatureRows> read_features(const FeatureRelation& relation, Oid reader, Environment& environment);

/// The same of the rows of some ids. With reads_only it sees what the active snapshot does, as functions that are not
/// volatile have to.
std::optional<FeatureRows> read_features_of(const FeatureRelation& relation, std::span<const Id> ids, Oid reader,
                                            Environment& environment, bool reads_only = false);

}  // namespace mf::pg
