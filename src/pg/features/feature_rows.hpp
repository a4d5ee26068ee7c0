// Relation of features → FeatureRows.
#pragma once

#include "core/data/features.hpp"
#include "pg/features/feature_relation.hpp"
#include "pg/sql/checked_query.hpp"

namespace mf::pg {

/// Reads all rows, with the rights of `reader`, InvalidOid meaning the current user; code in the relation runs as the
/// current user. Sees what was committed last. A NULL, an empty text, an empty array and a weight of 0 are no feature;
/// an id without any is left out. Throws
/// - numeric_value_out_of_range for a number that is not finite in type real, and for such or a negative weight,
/// - program_limit_exceeded for a name or an id that no index could hold,
/// - datatype_mismatch for an object in jsonb, and for an array in another,
/// - MemoryLimitExceeded as soon as what was read takes more than mf_ext.max_memory.
FeatureRows read_features(const FeatureRelation& relation, Oid reader, Environment& environment);

/// The same of the rows of some ids. With reads_only it sees what the active snapshot does, as functions that are not
/// volatile have to.
FeatureRows read_features_of(const FeatureRelation& relation, std::span<const Id> ids, Oid reader,
                             Environment& environment, bool reads_only = false);

/// The same of the rows whose ids are among `ids`, which are of the kind of the relation's. All rows are looked at.
FeatureRows read_features_among(const FeatureRelation& relation, const Ids& ids, Oid reader, Environment& environment,
                                bool reads_only);

/// The query for the features of one id prepared for keeps, with the rights of `reader`.
class FeaturePlan {
  public:
    FeaturePlan(FeatureRelation of, Oid reader);

    /// As KeptQuery::is_valid_unsafe().
    bool is_valid_unsafe(Oid reader) const { return query_.is_valid_unsafe(reader); }

    /// Reads as read_features_of() does, under the active snapshot. It may be running already, if the relation itself
    /// asks for recommendations.
    FeatureRows read(const Id& id, Environment& environment) const;

    const FeatureRelation relation;

  private:
    KeptQuery query_;
};

}  // namespace mf::pg
