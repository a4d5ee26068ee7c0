// The models that this session has used, on item images shared by all sessions of the server.
#pragma once

#include <memory>

#include "pg/cache/serving_model.hpp"

namespace mf::pg {

/// The version, ready to serve: from the session's own models, else from the server's cache, else read now and
/// published to the cache. The row must come from find_model under the caller's snapshot: all keys identify a version
/// permanently, so other sessions never find a version that was rolled back or dropped. The session keeps private
/// images of versions that its own transaction has created and of versions for which no shared memory is available (one
/// WARNING says so), within mf_ext.max_private_memory in total; throws program_limit_exceeded beyond that. The caller's
/// reference keeps the items alive in any case.
std::shared_ptr<ServingModel> cached_model(const Catalog& catalog, const std::string& name,
                                           const ModelVersion& version);

/// Builds the items of a committed version in the cache that all sessions share, unless they are there or have no room
/// there. Throws as cached_model() does for damaged rows.
void share_items(const Catalog& catalog, const std::string& name, const ModelVersion& version);

/// The same for a version that this transaction has published, from its items as they were trained: they are in the
/// cache once the transaction commits. Of several trainings of a transaction the first one's are. Throws
/// std::bad_alloc, and what the environment's checkpoint throws.
void share_items_at_commit(const Catalog& catalog, const std::string& name, std::int32_t version, std::int64_t model_id,
                           const ItemParts& items, Environment& environment);

}  // namespace mf::pg
