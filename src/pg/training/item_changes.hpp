// What has become of the items of a source since the factors of a version were stored.
#pragma once

#include "pg/cache/serving_model.hpp"
#include "pg/sql/source.hpp"

namespace mf::pg {

struct ItemChanges {
    std::vector<Id> added;              ///< the version does not know them
    std::vector<Id> changed;            ///< their rows have become more or fewer by a quarter
    std::vector<std::string> removed;   ///< they have no rows any more; as text
    std::uint64_t items = 0;            ///< that have rows
    Storage storage = Storage::Single;  ///< of the version

    bool none() const { return added.empty() && changed.empty() && removed.empty(); }
};

/// Compares the numbers of rows of the source, which are counted with the rights of the model's owner, with those that
/// are stored under the active snapshot. Items with fewer rows than `min_rows` are not added. Reads the items of all
/// rows.
ItemChanges find_item_changes(const Catalog& catalog, const ServedVersion& model, const Source& source,
                              std::uint64_t min_rows);

}  // namespace mf::pg
