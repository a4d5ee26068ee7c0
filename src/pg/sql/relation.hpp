// A relation that a call names: who may read it, what its columns are and how their values are taken.
#pragma once

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
    bool is_number = false;  ///< of a time: it has no unit that PostgreSQL knows
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

bool relation_exists(Oid relation);

/// What a query on the relation will ask for, without a lock: who has no right on a relation shall not lock it. A right
/// on any column is enough. Raises insufficient_privilege, with the role that lacks the right and a GRANT as hint.
void require_select_unsafe(Oid relation, Oid reader);

/// Whether that would raise nothing.
bool may_select_unsafe(Oid relation, Oid reader);

struct NamedRelation {
    Oid oid = InvalidOid;
    std::string name;  ///< quoted and qualified
};

/// Checks require_select_unsafe() and locks the relation against changes; `what` it is to the caller is for messages.
/// Throws insufficient_privilege, undefined_table or wrong_object_type, with a hint.
NamedRelation open_relation(Oid relation, Oid reader, const std::string& what);

/// Throws insufficient_privilege unless the reader may select all of the columns. Null pointers count for nothing, and
/// so do columns that do not exist: those have an error of their own.
void require_select_columns(const NamedRelation& relation, std::span<const char* const> names, Oid reader);

/// Names of all columns, in their order.
std::vector<std::string> column_names(Oid relation);

/// Facts about one column, plain so that they can cross pg_call.
struct ColumnFacts {
    AttrNumber number;
    Oid type;
    Oid base;  ///< of the type, if it is a domain
    Oid equality;
    bool text_varies;  ///< with settings of the session
    bool not_null;
    const char* type_name;
    const char* quoted;
};

/// Throws undefined_column, with all columns that there are as detail.
ColumnFacts require_column(const NamedRelation& relation, const char* name, const std::string& hint);

/// The column as it is, whatever its form.
SourceColumn plain_column(const char* name, const ColumnFacts& facts);

/// A column of ids. Throws as require_column(), and datatype_mismatch: "column ... of type ... cannot `cannot`".
SourceColumn id_column(const NamedRelation& relation, const char* name, const std::string& cannot,
                       const std::string& hint);

/// A column of numbers, boolean among them; nothing for another type.
std::optional<SourceColumn> number_column(const char* name, const ColumnFacts& facts);

}  // namespace mf::pg
