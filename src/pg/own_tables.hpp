// Statements on the extension's own tables, run as the role that owns them.
#pragma once

#include "pg/catalog.hpp"

namespace mf::pg {

/// A parameter of a statement; plain, so that a list of them can cross pg_call.
struct Parameter {
    Oid type;
    Datum value;
    bool null;
};

/// Text, jsonb and name parameters built in the current memory context.
Parameter text_parameter_unsafe(const char* value);
Parameter name_parameter_unsafe(const char* value);
Parameter jsonb_parameter_unsafe(const char* json);
inline Parameter int4_parameter(std::int32_t value) { return {INT4OID, Int32GetDatum(value), false}; }
inline Parameter int8_parameter(std::int64_t value) { return {INT8OID, Int64GetDatum(value), false}; }
inline Parameter role_parameter(Oid role) { return {REGROLEOID, ObjectIdGetDatum(role), false}; }
inline Parameter null_parameter(Oid type) { return {type, Datum{0}, true}; }

/// Outcome of a statement: rows processed, and the first column of its first row if that is an int4.
struct StatementResult {
    std::int64_t rows;
    std::int32_t first;
    bool has_first;
};

/// Runs one statement. Rights and search_path are those of the tables' owner and pg_catalog.
StatementResult run_statement_unsafe(const Catalog& catalog, const char* sql, int count, const Parameter* parameters);

/// `sql` with {models}, {user_factors}, {item_factors}, {grants} and {jobs} replaced by the qualified names.
std::string with_table_names(const Catalog& catalog, std::string sql);

}  // namespace mf::pg
