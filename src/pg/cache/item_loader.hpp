// The items of a version, read from the factor table.
#pragma once

#include "core/retrieval/item_image.hpp"
#include "pg/models/model_rows.hpp"

namespace mf::pg {

/// Reads a version's items, which have `factors` factors, under the active snapshot and puts them in order of their
/// ids. Throws data_corrupted if rows are missing, surplus or of another length. O(items · k).
ItemParts load_items(const Catalog& catalog, const std::string& model, const ModelVersion& version, int factors);

}  // namespace mf::pg
