// What a source looks like: the relation, its columns and how their values are taken.
#pragma once

#include "core/training/options.hpp"
#include "pg/sql/ids.hpp"

namespace mf::pg {

/// Form in which a column's value arrives in a row of the query that reads it.
enum class ColumnForm { Int2, Int4, Int8, Float4, Float8, Bool, Uuid, Text };

/// The form of a base type's values where they are taken as they are; nothing where the type must be cast.
std::optional<ColumnForm> plain_form(Oid base_type);

struct SourceColumn {
    std::string name;
    Oid type = InvalidOid;
    ColumnForm form = ColumnForm::Int4;
    std::string expression;  ///< the column quoted, and cast where its type has no form of its own
    bool not_null = false;   ///< a constraint of the relation says so; false for views
    IdKind kind() const {
        switch (form) {
            case ColumnForm::Uuid:
                return IdKind::Uuid;
            case ColumnForm::Text:
                return IdKind::Text;
            default:
                return IdKind::Integer;
        }
    }
};

struct Source {
    Oid relation = InvalidOid;
    Oid reader = InvalidOid;  ///< whose rights were checked
    std::string name;         ///< quoted and qualified
    SourceColumn user;
    SourceColumn item;
    std::optional<SourceColumn> rating;  ///< absent: every row has weight 1
    std::optional<SourceColumn> time;    ///< only for duplicates => last
};

bool relation_exists(Oid relation);

/// What a query on the source will ask for, without a lock: who has no right on a relation shall not lock it. A right
/// on any column is enough. Raises insufficient_privilege, with the role that lacks the right and a GRANT as hint.
void require_select_unsafe(Oid relation, Oid reader);

/// Plain names of the columns; rating and time may be null pointers.
struct SourceColumnNames {
    const char* user;
    const char* item;
    const char* rating;
    const char* time;
};

/// Looks the relation and its columns up, and locks it against changes. Before that it checks that `reader` may select
/// from the relation, and after it that it may select all of the columns, InvalidOid meaning the current user. Throws
/// insufficient_privilege, undefined_table, wrong_object_type, undefined_column or datatype_mismatch, with a hint.
Source describe_source(Oid relation, const SourceColumnNames& names, Oid reader = InvalidOid);

/// True if some index that is valid and not partial leads with the user column, in every leaf partition, or if the
/// relation is of a kind that has no indexes of its own.
bool has_user_index(const Source& source);

}  // namespace mf::pg
