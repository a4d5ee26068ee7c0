// What a version expects of items by the features that their relation has now.
#pragma once

#include "pg/features/mapped_features.hpp"

namespace mf::pg {

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
    const IdTable& ids() const { return features_.ids(); }

    /// What is expected of the items of a table; of those without features what is expected of any item. Throws
    /// MemoryLimitExceeded if it does not fit beside `taken` bytes of what the caller holds. O(entries · k).
    ExpectedRows of(const Ids& items, std::size_t taken, Environment& environment) const;

    /// Those of the items which the version does not have with just what is expected of them and without interactions.
    /// Throws NumericalFailure, and MemoryLimitExceeded as of(). O(entries · k).
    ExpectedChanges changes(const ServedVersion& model, const IdTable& items, Storage storage, std::size_t taken,
                            Environment& environment) const;

  private:
    explicit ExpectedItems(MappedFeatures features) : features_(std::move(features)) {}

    MappedFeatures features_;
};

}  // namespace mf::pg
