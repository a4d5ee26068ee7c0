// The queries that read a source. Every name in them is qualified; the caller's search_path decides nothing.
#pragma once

#include "pg/sql/ids.hpp"
#include "pg/sql/source.hpp"

namespace mf::pg {

/// `column =`, to be followed by what it is compared with.
std::string equals(const SourceColumn& column);

/// Which rows of a source are read. All but the first have a parameter, $1.
enum class SourceRows {
    All,
    OfUser,   ///< of the user $1; the query does not give the user
    OfUsers,  ///< of the users $1, an array
    OfItems,  ///< of the items $1, an array
};

/// `SELECT user, item, rating, time FROM source`, for those rows. Of a source with a tenant, this and items_query()
/// give that tenant's rows only.
std::string source_query(const Source& source, SourceRows rows);

/// The same and the column of tenants, of the rows of all of them, in its order; those with a NULL come last.
std::string tenants_query(const Source& source);

/// `SELECT item FROM source`, of the rows that training would take.
std::string items_query(const Source& source);

/// The source without ratings and times.
Source ids_of(const Source& source);

/// Type of the parameter. One user is given as bigint where users are integers, arrays in their column's own type: only
/// then does PostgreSQL hash them.
Oid parameter_type(const Source& source, SourceRows rows);

/// That of one id of a column, and of an array of them.
Oid id_type(const SourceColumn& column);
Oid array_type(const SourceColumn& column);

/// The parameter. Runs input functions of the column's type.
Datum id_parameter_unsafe(const SourceColumn& column, const Id& id);
Datum ids_parameter_unsafe(const SourceColumn& column, std::span<const Id> ids);

}  // namespace mf::pg
