// mf_report: what the extension's views show the caller of a model, as a page.
#pragma once

#include "pg/model_rows.hpp"

namespace mf::pg {

/// The page about that version, in ASCII. Reads the views with the caller's rights: one row of each version, and
/// aggregates over the factors of this version. O(users + items) time; the page is small whatever the model.
std::string report_html(const Catalog& catalog, const ModelVersion& version);

}  // namespace mf::pg
