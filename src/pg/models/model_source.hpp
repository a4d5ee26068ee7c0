// The source of a model as it is now.
#pragma once

#include "pg/models/model_rows.hpp"
#include "pg/sql/source.hpp"

namespace mf::pg {

/// Throws undefined_table, with the hint for what trains or refreshes the model, if its source was dropped.
void require_source(const std::string& model, Oid source);

/// The source of a version, read with the rights of the model's owner. Throws undefined_table, undefined_column,
/// datatype_mismatch or insufficient_privilege with a hint if it is no longer what the version was trained on.
Source current_source(const std::string& model, const ModelVersion& version);

}  // namespace mf::pg
