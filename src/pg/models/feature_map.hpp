// Rows of the tables of the maps from features of items and of users to their factors (core/training/feature_map.hpp) ↔
// the core's matrices.
#pragma once

#include "core/data/ids.hpp"
#include "pg/models/factor_rows.hpp"

namespace mf::pg {

/// The map of a version as it is stored.
struct StoredMap {
    IdTable features{IdKind::Text};    ///< names, sorted
    std::vector<FeatureScale> scales;  ///< of each
    FactorMatrix ranking;              ///< a row for each, and the intercept's as the last
    FactorMatrix rating;               ///< likewise, with the bias as last column; no rows for implicit feedback

    std::size_t memory() const;  ///< in bytes
};

/// Stores the map of one side of a version as write_factors() does its factors. names: of the features in the order of
/// the rows of the model's maps.
void write_feature_map(const Catalog& catalog, Side side, std::int64_t model_id, const Ids& names, const Model& model);

/// Reads the map under the active snapshot; nothing if the version has none. names: of the features that are wanted, by
/// a look into the index for each; those that the map does not have are left out; null: all. `shape` as for factors;
/// label names the version. Throws data_corrupted for rows of another length, values that are not finite, a missing
/// intercept. Memory: what it returns.
std::optional<StoredMap> read_feature_map(const Catalog& catalog, Side side, std::int64_t model_id, const Ids* names,
                                          FactorShape shape, const std::string& label);

}  // namespace mf::pg
