// A model ready to serve a call, and the ids that the call names in it.
#pragma once

#include "pg/cache/model_cache.hpp"
#include "pg/sql/arguments.hpp"

namespace mf::pg {

/// Which ids a call names or returns.
enum class NamedIds { Users, Items, Both };

/// A model ready to serve the call, in its live version or in the one that is given: found, permitted, loaded, and
/// checked to have ids that the overload can name.
std::shared_ptr<ServingModel> serving_model(const Catalog& catalog, const char* name,
                                            std::optional<std::int64_t> version, IdKind overload,
                                            NamedIds named = NamedIds::Both);

/// The user argument as an id of the model. Throws as user_id of arguments.hpp.
inline Id user_id(const ServingModel& model, const IdView& view) {
    return user_id(view, model.user_kind, model.version.user_type, model.name);
}

/// Index of an item's id, not NULL, or nothing if the model does not know it.
std::optional<std::uint32_t> known_item(const ServingModel& model, const IdView& view);

/// Indices of those ids that the model knows, ascending, each once; NULLs and unknown ids are ignored.
std::vector<std::uint32_t> known_items(const ServingModel& model, const IdArrayView& ids);

}  // namespace mf::pg
