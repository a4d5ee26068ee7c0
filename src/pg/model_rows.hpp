// Rows of the model table: finding the version that serves, publishing a new one, deleting.
#pragma once

#include "core/options.hpp"
#include "core/train.hpp"
#include "pg/catalog.hpp"
#include "pg/source.hpp"

namespace mf::pg {

/// What a call needs to know of a version before anything else; read afresh under the caller's snapshot each time.
struct ModelVersion {
    std::int64_t model_id;
    std::int32_t version;
    Oid owner;
    Oid source;
    bool uncommitted;  ///< made by the transaction that looks
    TimestampTz trained_at;
    NameData user_column;
    NameData item_column;
    NameData rating_column;  // empty: every row has weight 1
    NameData time_column;    // empty: none
    Oid user_type;
    Oid item_type;
    bool implicit;
    NameData algorithm;
    std::int64_t items;
    Jsonb* parameters;  ///< in the memory context of the call
};

/// The live version of the model that a call names. A null name means mf_ext.default_model, else the only model the
/// caller may use. Throws undefined_object (hint: the models there are) or insufficient_privilege.
ModelVersion find_model(const Catalog& catalog, const char* name, std::string* found_name);

/// True if the row of a version is there for a snapshot taken now, deletions of the own transaction included.
bool version_exists_unsafe(const Catalog& catalog, std::int64_t model_id);

/// True if the current user has the privileges of the owner.
bool may_use_unsafe(Oid owner);

/// Serializes trainings of one model: waits for another one to end, holds until the end of the transaction. Throws
/// insufficient_privilege if the model exists and belongs to a role whose privileges the caller lacks.
/// Returns the role that will own the new version.
Oid lock_for_training(const Catalog& catalog, const std::string& name);

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

/// Inserts the row, makes it the live one, and deletes versions beyond mf_ext.keep_versions. Returns the version.
std::int32_t publish(const Catalog& catalog, std::int64_t model_id, const NewVersion& row);

/// Deletes one version, or all for a null version; if the live one goes and others remain, the newest of them
/// becomes live and a NOTICE says so. Returns how many went. Throws undefined_object, insufficient_privilege.
int drop_versions(const Catalog& catalog, const char* model, std::optional<std::int32_t> version);

}  // namespace mf::pg
