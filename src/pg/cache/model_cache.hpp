// Models that this session has used, on images of their items that the server shares.
#pragma once

#include <memory>

#include "pg/cache/serving_model.hpp"

namespace mf::pg {

/// The version, ready to serve: as the session has it, else from the server's cache, else read now for all. The row
/// must come from find_model under the caller's snapshot: everything is keyed by what identifies a version for ever, so
/// a version that is rolled back or dropped is never found by others. A version of the own transaction, and one for
/// which no shared memory is to be had (a WARNING says so once), are kept by the session, all within
/// mf_ext.max_private_memory; program_limit_exceeded where that does not suffice. The caller's reference keeps the
/// items alive whatever happens meanwhile.
std::shared_ptr<ServingModel> cached_model(const Catalog& catalog, const std::string& name,
                                           const ModelVersion& version);

}  // namespace mf::pg
