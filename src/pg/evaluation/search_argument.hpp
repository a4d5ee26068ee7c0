// The search space of mf_tune, from jsonb.
#pragma once

#include "core/pipeline/search_space.hpp"
#include "pg/wall/guard.hpp"

namespace mf::pg {

/// Reads {"option": [value, …]}, {"option": {"min": a, "max": b, "log": true}} or {"option": value}. Null or an empty
/// object: default_space(). Throws invalid_parameter_value for anything else; names and
/// values are check_space()'s business.
SearchSpace read_search(Jsonb* json, Feedback feedback);

}  // namespace mf::pg
