// What a source looks like: the relation and those of its columns that matter.
#pragma once

#include "core/training/options.hpp"
#include "pg/sql/relation.hpp"

namespace mf::pg {

struct Source {
    Oid relation = InvalidOid;
    Oid reader = InvalidOid;  ///< whose rights were checked
    std::string name;         ///< quoted and qualified
    SourceColumn user;
    SourceColumn item;
    std::optional<SourceColumn> rating;  ///< absent: every row has weight 1
    std::optional<SourceColumn> time;    ///< only for what depends on it
};

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
