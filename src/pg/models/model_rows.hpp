// Rows of the model table: finding versions.
#pragma once

#include "pg/models/privileges.hpp"
#include "pg/sql/arguments.hpp"

namespace mf::pg {

/// Whose rows of the source a version was trained on and reads.
struct StoredTenant {
    NameData column;               // empty: of all rows
    char value[kLongestName + 1];  ///< as text

    const char* column_or_null() const { return NameStr(column)[0] == '\0' ? nullptr : NameStr(column); }
    const char* value_or_null() const { return NameStr(column)[0] == '\0' ? nullptr : value; }
};

/// What a call needs to know about a version before anything else; each call reads it anew under the caller's snapshot.
struct ModelVersion {
    std::int64_t model_id;
    std::int32_t version;
    Oid owner;
    Oid source;
    bool uncommitted;      ///< created by the current transaction
    TimestampTz items_at;  ///< when the items were published that the version has now
    bool refreshed;        ///< its items are not those of the training run any more
    NameData user_column;
    NameData item_column;
    NameData rating_column;  // empty: every row has weight 1
    NameData time_column;    // empty: none
    StoredTenant tenant;
    /// Relations of the features that it was trained with; InvalidOid if a restore did not find it.
    BySide<std::optional<Oid>> features;
    Oid user_type;
    Oid item_type;
    bool implicit;
    NameData algorithm;
    std::int64_t users;
    std::int64_t items;
    Jsonb* parameters;  ///< in the memory context of the call
};

/// A column's name as a C string, null where the version has none.
inline const char* name_or_null(const NameData& column) {
    return NameStr(column)[0] == '\0' ? nullptr : NameStr(column);
}

/// The live version of the model that a call names. A null name means mf_ext.default_model, else the only model the
/// caller owns, else the only one granted to the caller, else the only one the caller may use. Throws undefined_object
/// (the hint lists the existing models), ambiguous_parameter or insufficient_privilege.
ModelVersion find_model(const Catalog& catalog, const char* name, std::string* found_name, Access access = Access::Use);

/// The same, or, if it is given, a certain version. Throws undefined_object besides if the snapshot shows none such.
ModelVersion find_version(const Catalog& catalog, const char* name, std::optional<std::int64_t> version,
                          std::string* found_name);

/// Owner of the model as a snapshot taken now sees it, nothing if there is no such model. The role may have been
/// dropped.
std::optional<Oid> find_owner(const Catalog& catalog, const std::string& name);

/// What a further training run of a model may change.
struct FormerVersion {
    Oid source;
    StoredTenant tenant;
    Oid user_type;
    Oid item_type;
};

/// The live version as a snapshot taken now sees it, nothing if there is no such model.
std::optional<FormerVersion> find_former_version(const Catalog& catalog, const std::string& name);

/// Names of all models that the caller may manage, in ascending order, as a snapshot taken now sees them.
std::vector<std::string> managed_models(const Catalog& catalog);

/// Whether the caller may manage all models whose names begin with `prefix`, as a snapshot taken now sees them.
bool manages_all(const Catalog& catalog, const std::string& prefix);

/// One version of a model, for callers that visit all of them.
struct VersionRow {
    std::int64_t model_id;
    std::int32_t version;
    Oid user_type;
};

/// All versions of the model as a snapshot taken now sees them, ascending.
std::vector<VersionRow> versions_of(const Catalog& catalog, const std::string& name);

/// True if rows of the model were added, changed or deleted by others since the transaction's snapshot was taken.
bool changed_since_snapshot_unsafe(const Catalog& catalog, const char* name);

/// Throws undefined_object; the hint lists the existing models.
[[noreturn]] void throw_no_such_model(const Catalog& catalog, const std::string& name);

/// Throws undefined_object; the hint says where versions are listed.
[[noreturn]] void throw_no_such_version(const std::string& model, std::int64_t version);

/// When the items were published that a version has now, as a snapshot taken now sees its row; 0 if it sees none, as it
/// sees none that the current transaction has deleted.
TimestampTz items_published_unsafe(const Catalog& catalog, std::int64_t model_id);

/// Name and owner of a version's model under the active snapshot; a null name if the version does not exist.
struct ModelLabel {
    const char* name;
    Oid owner;
    std::int32_t version;
};
ModelLabel label_of_version_unsafe(const Catalog& catalog, std::int64_t model_id);

/// How messages name a version.
inline std::string version_label(const std::string& model, std::int32_t version) {
    return "version " + std::to_string(version) + " of model \"" + model + "\"";
}

}  // namespace mf::pg
