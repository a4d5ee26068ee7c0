// mf_report: what there is to know of a model, as a page.
#pragma once

#include "pg/models/model_rows.hpp"

namespace mf::pg {

/// The page about that version, which the caller may use, in ASCII. Reads the view of the models with the caller's
/// rights, and the factors of this version once. O(users + items) time and up to 12 bytes for each user and item; the
/// page is small whatever the model.
std::string report_html(const Catalog& catalog, const ModelVersion& version);

}  // namespace mf::pg
