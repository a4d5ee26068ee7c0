// What a source looks like: the relation and those of its columns that matter.
#pragma once

#include "core/training/options.hpp"
#include "pg/sql/relation.hpp"

namespace mf::pg {

/// The rows whose column has a value: those of one tenant.
struct Tenant {
    SourceColumn column;
    std::string value;  ///< as the output function of the column's type prints it
};

/// A relation, by its quoted and qualified name, and of which tenant its rows are, as messages say it; null: all rows.
std::string source_label(const std::string& relation, const char* tenant_column, const char* tenant);

struct Source {
    Oid relation = InvalidOid;
    Oid reader = InvalidOid;  ///< whose rights were checked
    std::string name;         ///< quoted and qualified
    SourceColumn user;
    SourceColumn item;
    std::optional<SourceColumn> rating;  ///< absent: every row has weight 1
    std::optional<SourceColumn> time;    ///< only for what depends on it
    std::optional<Tenant> tenant;        ///< whose rows are all that is read; absent: every row

    std::string label() const {
        return tenant ? source_label(name, tenant->column.name.c_str(), tenant->value.c_str()) : name;
    }
};

/// Plain names of the columns; rating and time may be null pointers, and so may be the column of tenants and the value
/// that it has for one of them.
struct SourceColumnNames {
    const char* user;
    const char* item;
    const char* rating;
    const char* time;
    const char* tenant_column = nullptr;
    const char* tenant = nullptr;
};

/// Looks the relation and its columns up, and locks it against changes. Before that it checks that `reader` may select
/// from the relation, and after it that it may select all of the columns, InvalidOid meaning the current user. Throws
/// insufficient_privilege, undefined_table, wrong_object_type, undefined_column or datatype_mismatch, with a hint.
Source describe_source(Oid relation, const SourceColumnNames& names, Oid reader = InvalidOid);

/// True if some index that is valid and not partial leads with the user column, or with the column of tenants and then
/// the user's, in every leaf partition, or if the relation is of a kind that has no indexes of its own.
bool has_user_index(const Source& source);

}  // namespace mf::pg
