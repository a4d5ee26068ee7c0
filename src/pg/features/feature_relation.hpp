// What a relation of features looks like: one row per feature of an id, or one row per id with features in its columns.
#pragma once

#include "pg/sql/relation.hpp"

namespace mf::pg {

/// How the features of a column are taken. A feature is a category, which an id has or has not, or a number.
enum class FeatureForm {
    Name,       ///< of relations with a row per feature: the text is the name of a category
    Text,       ///< a category `column=value`
    TextArray,  ///< a category `column=element` for each element
    Json,       ///< jsonb: the same for an array; a scalar counts as its only element
    Bool,       ///< a category `column` where it is true
    Number,     ///< the number `column`
};

struct FeatureColumn {
    SourceColumn column;
    FeatureForm form = FeatureForm::Text;
};

struct FeatureRelation {
    Oid relation = InvalidOid;
    std::string name;  ///< quoted and qualified
    SourceColumn id;
    std::vector<FeatureColumn> columns;  ///< of relations with a row per feature, one of FeatureForm::Name
    bool is_rows = false;                ///< a row per feature
    std::optional<SourceColumn> weight;  ///< only with is_rows; absent: every feature has weight 1
};

/// Looks the relation and its columns up, checks that `reader` may select them, InvalidOid meaning the current user,
/// and locks the relation against changes. Throws insufficient_privilege, undefined_table, wrong_object_type,
/// undefined_column, or datatype_mismatch with the view to create as hint.
FeatureRelation describe_features(Oid relation, const char* id_column, Oid reader = InvalidOid);

}  // namespace mf::pg
