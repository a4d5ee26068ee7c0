#include "pg/sql/own_tables.hpp"

#include "pg/wall/guard.hpp"

namespace mf::pg {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

StatementResult run_statement_unsafe(const Catalog& catalog, const char* sql, int count, const Parameter* parameters) {
    StatementResult result{};
    const auto take = [&result](std::uint64_t rows, const SPITupleTable* table) {
        result.rows = static_cast<std::int64_t>(rows);
        if (table == nullptr || rows == 0 || SPI_gettypeid(table->tupdesc, 1) != INT4OID) return;
        bool null;
        const Datum first = SPI_getbinval(table->vals[0], table->tupdesc, 1, &null);
        result.has_first = !null;
        if (!null) result.first = DatumGetInt32(first);
    };
    execute_unsafe(relation_owner_unsafe(catalog.models), {sql, count, parameters}, take);
    return result;
}

std::string with_table_names(const Catalog& catalog, std::string sql) {
    const struct {
        std::string_view placeholder;
        Oid relation;
    } tables[] = {{"{models}", catalog.models},
                  {"{user_factors}", catalog.user_factors},
                  {"{item_factors}", catalog.item_factors},
                  {"{item_features}", catalog.features.items},
                  {"{user_features}", catalog.features.users},
                  {"{grants}", catalog.grants},
                  {"{trainings}", catalog.trainings},
                  {"{jobs}", catalog.jobs},
                  {"{runs}", catalog.runs}};
    for (const auto& table : tables) replace_all(sql, table.placeholder, qualified_name(table.relation));
    return sql;
}

}  // namespace mf::pg
