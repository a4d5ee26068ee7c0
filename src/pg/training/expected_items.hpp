// What a version expects of items by the features that their relation has now.
#pragma once

#include "core/data/features.hpp"
#include "pg/cache/serving_model.hpp"
#include "pg/models/feature_map.hpp"

namespace mf::pg {

/// Rows of factors that are expected of some items.
struct ExpectedRows {
    FactorMatrix ranking;
    FactorMatrix rating;  ///< with the bias as last column; no rows for implicit feedback
};

/// Items that are to be stored with what is expected of them.
struct ExpectedChanges {
    SolvedItems items;               ///< without interactions, rounded as they are stored
    std::vector<std::string> known;  ///< those that the version has a row of
};

class ExpectedItems {
  public:
    /// Reads the map of the version, and with the rights of the model's owner the whole relation of features. Nothing
    /// if the version has no map. Throws undefined_table or insufficient_privilege if the relation is gone or
    /// forbidden, and as read_features().
    static std::optional<ExpectedItems> read(const Catalog& catalog, const ServedVersion& model,
                                             Environment& environment);

    /// The items that have features.
    const IdTable& ids() const { return features_.rows.users; }

    /// What is expected of the items of a table; of those without features what is expected of any item. Throws
    /// MemoryLimitExceeded if it does not fit beside `taken` bytes of what the caller holds. O(entries · k).
    ExpectedRows of(const Ids& items, std::size_t taken, Environment& environment) const;

    /// Those of the items which the version does not have with just what is expected of them and without interactions.
    /// Throws NumericalFailure, and MemoryLimitExceeded as of(). O(entries · k).
    ExpectedChanges changes(const ServedVersion& model, const IdTable& items, Storage storage, std::size_t taken,
                            Environment& environment) const;

  private:
    ExpectedItems(StoredMap map, FeatureRows features) : map_(std::move(map)), features_(std::move(features)) {}

    /// Bytes of the map and of the features.
    std::size_t memory() const;
    /// Throws unless the rows of that many items fit beside `taken` bytes and beside these.
    void require_memory_for(std::size_t items, std::size_t taken) const;

    StoredMap map_;
    FeatureRows features_;
};

}  // namespace mf::pg
