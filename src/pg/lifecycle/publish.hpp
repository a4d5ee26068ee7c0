// Storing a version and making it the live one.
#pragma once

#include "core/pipeline/train.hpp"
#include "core/training/options.hpp"
#include "pg/sql/catalog.hpp"
#include "pg/sql/source.hpp"

namespace mf::pg {

/// What is known of a version when its training is over.
struct NewVersion {
    std::string model;
    Oid owner = InvalidOid;
    const Source* source = nullptr;
    const TrainOptions* options = nullptr;
    std::string algorithm;
    std::string parameters;  ///< JSON text
    std::string metrics;     ///< JSON text
    TrainSummary summary;
    double seconds = 0;
};

/// A number for a new version, never used before.
std::int64_t next_model_id(const Catalog& catalog);

/// Inserts the row, makes it the live one, and deletes versions beyond mf_ext.keep_versions: it keeps the new one, the
/// one that was live, to which one may want to go back even if it was not the newest, and the newest of the others.
/// Returns the version.
std::int32_t publish(const Catalog& catalog, std::int64_t model_id, const NewVersion& row);

}  // namespace mf::pg
