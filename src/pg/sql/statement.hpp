// Statements through SPI, with parameters.
#pragma once

#include "pg/sql/catalog.hpp"

namespace mf::pg {

/// A parameter of a statement; plain, so that a list of them can cross pg_call.
struct Parameter {
    Oid type;
    Datum value;
    bool null;
};

/// Text, jsonb and name parameters built in the current memory context; a null pointer is NULL for the first and last.
Parameter text_parameter_unsafe(const char* value);
Parameter name_parameter_unsafe(const char* value);
Parameter jsonb_parameter_unsafe(const char* json);
inline Parameter int4_parameter(std::int32_t value) { return {INT4OID, Int32GetDatum(value), false}; }
inline Parameter int8_parameter(std::int64_t value) { return {INT8OID, Int64GetDatum(value), false}; }
inline Parameter role_parameter(Oid role) { return {REGROLEOID, ObjectIdGetDatum(role), false}; }
inline Parameter null_parameter(Oid type) { return {type, Datum{0}, true}; }

/// One statement. A reading one sees what the active snapshot sees, any other what was done before it too.
struct Statement {
    const char* sql;
    int count;
    const Parameter* parameters;
    bool reads_only = false;
};

/// Both ends of execute_unsafe.
RoleSwitch begin_statement_unsafe(Oid role, const Statement& statement);
void end_statement_unsafe(const RoleSwitch& saved);

/// Runs a statement with the rights of `role`, and with the settings pinned that names and numbers depend on. Calls
/// take(rows, table) in the caller's memory context; the table is null for what returns no rows, and is gone
/// afterwards. take may raise, and throws no C++ exception.
template <class Take>
void execute_unsafe(Oid role, const Statement& statement, const Take& take) {
    MemoryContext caller = CurrentMemoryContext;
    const RoleSwitch saved = begin_statement_unsafe(role, statement);
    MemoryContext spi = MemoryContextSwitchTo(caller);
    take(static_cast<std::uint64_t>(SPI_processed), SPI_tuptable);
    MemoryContextSwitchTo(spi);
    end_statement_unsafe(saved);
}

}  // namespace mf::pg
