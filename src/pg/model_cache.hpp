// Items of recently used versions, kept by this session.
#pragma once

#include <memory>

#include "pg/serving_model.hpp"

namespace mf::pg {

/// The version's items, from the cache or read now. The row must come from find_model under the caller's snapshot: the
/// cache is keyed by what identifies a version for ever (model table, model_id, time of training), so a version that
/// is rolled back or dropped is never found by others. Models beyond mf_ext.cache_size leave, the least recently
/// used first. The caller's reference keeps the items alive whatever happens meanwhile.
std::shared_ptr<ServingModel> cached_model(const Catalog& catalog, const std::string& name, const ModelVersion& version);

}  // namespace mf::pg
