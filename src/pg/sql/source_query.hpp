// The queries that read a source. Every name in them is qualified; the caller's search_path decides nothing.
#pragma once

#include "pg/sql/ids.hpp"
#include "pg/sql/source.hpp"

namespace mf::pg {

/// Which rows of a source are read. All but the first have a parameter, $1.
enum class SourceRows {
    All,
    OfUser,          ///< of the user $1; the query does not give the user
    OfUsersOfItems,  ///< of all users who have one of the items $1, an array
};

/// `SELECT user, item, rating, time FROM source`, for those rows.
std::string source_query(const Source& source, SourceRows rows);

/// `SELECT item, number of rows FROM source`, a row for each item, of the rows that training would take.
std::string item_counts_query(const Source& source);

/// What item_counts_query() gives, described as a source without users: the number is the rating.
Source counts_of(const Source& source);

/// Type of the parameter. Ids of users are given as bigint where they are integers, items in their column's own type:
/// only then does PostgreSQL hash an array of them.
Oid parameter_type(const Source& source, SourceRows rows);

/// The parameter. Runs input functions of the columns' types.
Datum user_parameter_unsafe(const Source& source, const Id& user);
Datum items_parameter_unsafe(const Source& source, std::span<const Id> items);

}  // namespace mf::pg
