// Stores a version and, unless it is to wait, makes it live.
#pragma once

#include "core/pipeline/train.hpp"
#include "core/training/options.hpp"
#include "pg/sql/catalog.hpp"
#include "pg/sql/source.hpp"

namespace mf::pg {

/// What is known of a version at the end of its training run.
struct NewVersion {
    std::string model;
    Oid owner = InvalidOid;
    const Source* source = nullptr;
    BySide<Oid> features;  ///< relations of features, InvalidOid: none
    const TrainOptions* options = nullptr;
    std::string algorithm;
    std::string parameters;  ///< JSON text
    std::string metrics;     ///< JSON text
    TrainSummary summary;
    double seconds = 0;
    bool live = true;     ///< false only for a model that has a live version
    std::string message;  ///< why it is not live; empty: it is
};

/// The end of a statement that begins WITH old AS (…), which deletes versions and returns their model_id: deletes what
/// belongs to them. If there are none it reads nothing, and otherwise the planner has no join to choose, which would
/// read all rows of a table that it believes to be empty, since it was vacuumed while it was.
inline constexpr const char* kRowsOfOld =
    ", u AS (DELETE FROM {user_factors} WHERE EXISTS (SELECT FROM old) AND model_id = ANY (ARRAY(SELECT * FROM old))),"
    " i AS (DELETE FROM {item_factors} WHERE EXISTS (SELECT FROM old) AND model_id = ANY (ARRAY(SELECT * FROM old))),"
    " m AS (DELETE FROM {item_features} WHERE EXISTS (SELECT FROM old) AND model_id = ANY (ARRAY(SELECT * FROM old))),"
    " n AS (DELETE FROM {user_features} WHERE EXISTS (SELECT FROM old) AND model_id = ANY (ARRAY(SELECT * FROM old)))"
    " SELECT FROM old";

/// Notes in mf_trainings that the live version of the model has been live.
void note_publication(const Catalog& catalog, const std::string& model);

/// A model_id for a new version, never used before.
std::int64_t next_model_id(const Catalog& catalog);

/// Inserts the row and that of the training run, makes it live if it is to be, and deletes versions beyond
/// mf_ext.keep_versions. Kept are the new version, the one that is or was live, so that users can go back to it even if
/// it was not the latest, and the latest of the others. Returns the version.
std::int32_t publish(const Catalog& catalog, std::int64_t model_id, const NewVersion& row);

}  // namespace mf::pg
