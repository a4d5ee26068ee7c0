// Statements on the extension's own tables, run as the role that owns them.
#pragma once

#include "pg/sql/statement.hpp"

namespace mf::pg {

/// Outcome of a statement: rows processed, and the first column of its first row if that is an int4.
struct StatementResult {
    std::int64_t rows;
    std::int32_t first;
    bool has_first;
};

/// Runs one statement. Rights and search_path are those of the tables' owner and pg_catalog.
StatementResult run_statement_unsafe(const Catalog& catalog, const char* sql, int count, const Parameter* parameters);

/// Replaces every occurrence of `from`, which is not empty; what it is replaced by is not searched.
void replace_all(std::string& text, std::string_view from, std::string_view to);

/// `sql` with {models}, {user_factors}, {item_factors}, {item_features}, {user_features}, {grants}, {jobs} and {runs}
/// replaced by the qualified names.
std::string with_table_names(const Catalog& catalog, std::string sql);

}  // namespace mf::pg
