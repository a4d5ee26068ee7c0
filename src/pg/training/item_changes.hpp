// What has become of the items of a source since the factors of a version were stored.
#pragma once

#include "pg/cache/serving_model.hpp"
#include "pg/sql/source.hpp"

namespace mf::pg {

struct ItemChanges {
    /// First those that the version has solved and whose rows have become more or fewer by a quarter, then those that
    /// it does not know or has what is expected of.
    std::vector<Id> to_solve;
    std::size_t solved = 0;             ///< of to_solve, by the version
    std::vector<std::string> removed;   ///< they have neither rows nor features any more; as text
    IdTable expected;                   ///< items that have features, and no rows or too few to be solved
    Storage storage = Storage::Single;  ///< of the version

    explicit ItemChanges(IdKind kind) : expected(kind) {}
    bool none() const { return to_solve.empty() && removed.empty() && expected.size() == 0; }
};

/// Compares the numbers of rows of the source, which are counted with the rights of the model's owner, with those that
/// are stored under the active snapshot. Items that the version has not solved and that have fewer rows than `min_rows`
/// are not to be solved. with_features: ids of items that have features; may be null. Reads the items of all rows.
/// Throws MemoryLimitExceeded.
ItemChanges find_item_changes(const Catalog& catalog, const ServedVersion& model, const Source& source,
                              std::uint64_t min_rows, const Ids* with_features);

}  // namespace mf::pg
