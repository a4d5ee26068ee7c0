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

#include "pg/sql/citus.hpp"
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

/// SPI_connect.
inline void connect_unsafe() {
    if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "SPI_connect failed");
}

/// Raises an error unless a query has been executed.
inline void check_select_unsafe(int result) {
    if (result != SPI_OK_SELECT) elog(ERROR, "query on the source failed: %s", SPI_result_code_string(result));
}

/// The list of the only parameter.
inline ParamListInfo parameter_list_unsafe(Oid type, Datum value) {
    ParamListInfo parameters = makeParamList(1);
    parameters->params[0].value = value;
    parameters->params[0].isnull = false;
    parameters->params[0].pflags = PARAM_FLAG_CONST;
    parameters->params[0].ptype = type;
    return parameters;
}

/// For queries without a parameter.
inline ParamListInfo no_parameter() { return nullptr; }

/// Prepares such a query and runs it once, into `dest`. parameter(): its list of parameters, in the memory of SPI. A
/// query that reads only sees what the active snapshot does and may not write; another sees what was committed last.
template <class Parameter>
void run_checked_unsafe(const char* sql, CheckedQuery* query, const Parameter& parameter, bool reads_only,
                        DestReceiver* dest) {
    connect_unsafe();
    SPIPlanPtr plan = prepare_checked_unsafe(sql, query, CURSOR_OPT_PARALLEL_OK | CURSOR_OPT_CUSTOM_PLAN);
    SPIExecuteOptions options{};
    options.params = parameter();
    options.read_only = reads_only;
    options.dest = dest;
    const int level = begin_nested_queries_unsafe();
    check_select_unsafe(SPI_execute_plan_extended(plan, &options));
    end_nested_queries_unsafe(level);
    SPI_finish();
}

/// What the executor of such a query hands its rows to: startup() once, and then receive() for each row.
inline DestReceiver row_destination(void (*startup)(DestReceiver* self, int operation, TupleDesc descriptor),
                                    bool (*receive)(TupleTableSlot* slot, DestReceiver* self)) {
    DestReceiver receiver{};
    receiver.receiveSlot = receive;
    receiver.rStartup = startup;
    receiver.rShutdown = [](DestReceiver*) {};
    receiver.rDestroy = [](DestReceiver*) {};
    // SPI takes the kinds DestNone and DestSPI for its own; of the others it takes no notice.
    receiver.mydest = DestTupleQueue;
    return receiver;
}

/// Such a query with a parameter, prepared for keeps.
class KeptQuery {
  public:
    KeptQuery(const std::string& sql, const CheckedQuery& query);
    ~KeptQuery();
    KeptQuery(const KeptQuery&) = delete;
    KeptQuery& operator=(const KeptQuery&) = delete;

    /// False if the reader is another one, or if the relation may have been altered, renamed or dropped.
    bool is_valid_unsafe(Oid reader) const { return query_.reader == reader && SPI_plan_is_valid(plan_); }

    /// Runs it into `dest`, under the active snapshot, reading only. value(): of the parameter, in the memory of SPI.
    /// It may be running already.
    template <class Value>
    void run_unsafe(const Value& value, DestReceiver* dest) const {
        connect_unsafe();
        SPIExecuteOptions options{};
        options.params = parameter_list_unsafe(query_.parameter, value());
        options.read_only = true;
        options.dest = dest;
        const int level = begin_nested_queries_unsafe();
        check_select_unsafe(SPI_execute_plan_extended(plan_, &options));
        end_nested_queries_unsafe(level);
        SPI_finish();
    }

  private:
    CheckedQuery query_;
    SPIPlanPtr plan_ = nullptr;
};

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
