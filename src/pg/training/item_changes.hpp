// What has become of the items of a source since the factors of a version were stored.
#pragma once

#include "pg/cache/serving_model.hpp"
#include "pg/sql/source.hpp"

namespace mf::pg {

struct ItemChanges {
    /// First those whose rows have become more or fewer by a quarter, then those that the version does not know.
    std::vector<Id> to_solve;
    std::size_t known = 0;              ///< of to_solve
    std::vector<std::string> removed;   ///< they have no rows any more; as text
    Storage storage = Storage::Single;  ///< of the version

    bool none() const { return to_solve.empty() && removed.empty(); }
};

/// Compares the numbers of rows of the source, which are counted with the rights of the model's owner, with those that
/// are stored under the active snapshot. Items with fewer rows than `min_rows` are not added. Reads the items of all
/// rows. Throws MemoryLimitExceeded.
ItemChanges find_item_changes(const Catalog& catalog, const ServedVersion& model, const Source& source,
                              std::uint64_t min_rows);

}  // namespace mf::pg
