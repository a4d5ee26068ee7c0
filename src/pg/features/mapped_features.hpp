// Features of items or of users as a version takes them: with the columns and the scales of its map.
#pragma once

#include "core/data/features.hpp"
#include "pg/cache/serving_model.hpp"
#include "pg/models/feature_map.hpp"

namespace mf::pg {

/// The map of one side of a version: of the features that are named, or of all if `names` is null. Throws
/// data_corrupted for a version that lacks it.
StoredMap map_of(const Catalog& catalog, Side side, const ServedVersion& model, const Ids* names);

/// Rows of factors that are expected of some items or users.
struct ExpectedRows {
    FactorMatrix ranking;
    FactorMatrix rating;  ///< with the bias as last column; no rows for implicit feedback
};

/// The features of one item or user: columns of the map, the last of which is the intercept.
struct MappedRow {
    std::span<const std::uint32_t> columns;
    std::span<const float> values;
};

class MappedFeatures {
  public:
    /// O(entries). Memory while it works: joining_bytes() beside the map.
    MappedFeatures(StoredMap map, FeatureRows features, Environment& environment);

    /// Bytes of features while they are joined with a map.
    static std::size_t joining_bytes(const FeatureRows& features);
    /// Bytes of all of this.
    std::size_t memory() const;

    const StoredMap& map() const { return map_; }
    /// Those that have features.
    const IdTable& ids() const { return ids_; }

    /// Of one without features it is the intercept alone. Refers to this object. Any thread may ask.
    MappedRow row(const Id& id) const { return row(id.find_in(ids_)); }

    /// What is expected of ids of the same kind: row r is that of id r, with the same bits as from row(). On all
    /// threads. O(entries · k).
    ExpectedRows expected(const Ids& ids, Environment& environment) const;

  private:
    MappedRow row(std::optional<std::uint32_t> index) const;

    StoredMap map_;
    IdTable ids_;
    Csr scaled_;  ///< a row for each, with the columns of the map
    std::uint32_t intercept_;
};

}  // namespace mf::pg
