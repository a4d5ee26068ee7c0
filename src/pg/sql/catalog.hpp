// The extension's own relations, found by name at each call: OIDs kept across calls would outlive a DROP EXTENSION.
#pragma once

#include "pg/wall/compat.hpp"

namespace mf::pg {

/// The two kinds of rows that a model has factors of.
enum class Side { Items, Users };

/// What there is for each of them.
template <class T>
struct BySide {
    T items{};
    T users{};

    T& operator[](Side side) { return side == Side::Items ? items : users; }
    const T& operator[](Side side) const { return side == Side::Items ? items : users; }
};

struct Catalog {
    Oid schema;  ///< that of all of them
    Oid models;
    Oid models_index;          ///< by model_id
    Oid models_live_index;     ///< by name, live versions only
    Oid models_version_index;  ///< by name and version
    Oid models_sequence;
    Oid user_factors;
    Oid user_factors_index;
    Oid item_factors;
    Oid item_factors_index;
    BySide<Oid> features;  ///< the maps from features to factors
    BySide<Oid> features_index;
    Oid grants;
    Oid grants_index;
    Oid trainings;
    Oid jobs;
    Oid runs;  ///< distributed training runs that are not done
    Oid jobs_sequence;
    Oid model_copies;   ///< the copies of the models' rows that all nodes of a cluster have; InvalidOid: there are none
    bool is_of_copies;  ///< the tables of models are this node's copies
};

/// Looks in the schema of the called function, which is the extension's. On a worker of a cluster, the tables of models
/// are the copies that it has, which may only be read; nobody has copies of the users' factors.
Catalog catalog_unsafe(FunctionCallInfo fcinfo);
Catalog catalog_of_function_unsafe(Oid function);

/// A table of which all nodes of a cluster may have copies: what the table of copies is called, and the table.
struct CopiedTable {
    const char* copy;
    Oid (*original)(const Catalog& catalog);
};
inline constexpr CopiedTable kCopiedTables[] = {
    {"mf_model_copy", [](const Catalog& catalog) { return catalog.models; }},
    {"mf_item_factor_copy", [](const Catalog& catalog) { return catalog.item_factors; }},
    {"mf_item_feature_copy", [](const Catalog& catalog) { return catalog.features.items; }},
    {"mf_user_feature_copy", [](const Catalog& catalog) { return catalog.features.users; }},
    {"mf_grant_copy", [](const Catalog& catalog) { return catalog.grants; }},
};

/// Name of a schema, not quoted. Throws undefined_schema if it was dropped.
std::string schema_name(Oid schema);

/// Name of the extension's schema, quoted, for calls of its functions and queries of its views.
std::string extension_schema(const Catalog& catalog);

/// The role, security context and search_path to go back to.
struct RoleSwitch {
    Oid role;
    int flags;
    int guc_level;
};

/// Goes on as another role with search_path = pg_catalog, so that nothing the caller has created stands in for a
/// function or operator that runs with that role's rights. security_flags as for SetUserIdAndSecContext. An error
/// before leave_role_unsafe ends the (sub)transaction, and that restores all of it.
RoleSwitch enter_role_unsafe(Oid role, int security_flags);
void leave_role_unsafe(const RoleSwitch& saved);

/// Role that owns a relation. Raises if there is no such relation.
Oid relation_owner_unsafe(Oid relation);

/// Name of a relation as the user would write it, quoted and with its schema.
const char* qualified_name_unsafe(Oid relation);
std::string qualified_name(Oid relation);

}  // namespace mf::pg
