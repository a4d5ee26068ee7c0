// Queries that read a relation as a view reads what it is made of: rights and row-level security are checked for one
// role, the reader, and all code runs as the caller.
//
// Code includes more than the obvious: functions in views and policies, checks of domains, operators and casts of a
// column's type, expressions of indexes, and whatever of it the planner evaluates. If any of it ran as the reader,
// whoever owns the source could act as the reader. So the user id is never switched while a query is planned or
// executed. Instead the analysed query is marked, as PostgreSQL marks what a view names; the plan cache does that again
// whenever it analyses the query anew, because it keeps the parser's hooks with the plan.
//
// While the query is analysed, names are looked up, and no code runs that is not PostgreSQL's. That part is done as the
// reader: who uses a model needs no USAGE of the schema that its source lies in.
#pragma once

#include "pg/wall/guard.hpp"

namespace mf::pg {

/// What a query of this kind is recognized and checked by. It must outlive the plan.
struct CheckedQuery {
    Oid relation = InvalidOid;   ///< the one relation that the query names, once or within itself again
    Oid reader = InvalidOid;     ///< whose rights are checked; InvalidOid: the caller's
    Oid parameter = InvalidOid;  ///< type of $1; InvalidOid: there is none

    // While the query is analysed: whom to go back to.
    Oid caller = InvalidOid;
    int caller_context = 0;
};

/// Prepares a SELECT from query->relation; all names in it are qualified. To be called between SPI_connect and
/// SPI_finish, like SPI_prepare. Raises undefined_table if the name has become another relation's.
SPIPlanPtr prepare_checked_unsafe(const char* sql, CheckedQuery* query, int cursor_options);

/// Hooks into the analysis of queries. Once, when the library is loaded.
void install_checked_queries();

/// Sets the role back that was current before, if an error ends the analysis of a query half way: what is destroyed on
/// the error's way up shall not act as the reader.
class CallerRole {
  public:
    CallerRole() { GetUserIdAndSecContext(&role_, &context_); }
    ~CallerRole() {
        if (std::uncaught_exceptions() > exceptions_) SetUserIdAndSecContext(role_, context_);
    }
    CallerRole(const CallerRole&) = delete;
    CallerRole& operator=(const CallerRole&) = delete;

  private:
    Oid role_;
    int context_;
    int exceptions_ = std::uncaught_exceptions();
};

}  // namespace mf::pg
