#include "pg/own_tables.hpp"

#include "pg/guard.hpp"

namespace mf::pg {
namespace {

void replace_all(std::string& text, std::string_view from, const char* to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + std::strlen(to)))
        text.replace(at, from.size(), to);
}

}  // namespace

Parameter text_parameter_unsafe(const char* value) { return {TEXTOID, CStringGetTextDatum(value), false}; }

Parameter name_parameter_unsafe(const char* value) {
    if (value == nullptr || *value == '\0') return null_parameter(NAMEOID);
    return {NAMEOID, DirectFunctionCall1(namein, CStringGetDatum(value)), false};
}

Parameter jsonb_parameter_unsafe(const char* json) {
    return {JSONBOID, DirectFunctionCall1(jsonb_in, CStringGetDatum(json)), false};
}

StatementResult run_statement_unsafe(const Catalog& catalog, const char* sql, int count, const Parameter* parameters) {
    const RoleSwitch saved = enter_role_unsafe(relation_owner_unsafe(catalog.models), SECURITY_LOCAL_USERID_CHANGE);
    if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "SPI_connect failed");

    auto* types = static_cast<Oid*>(palloc(sizeof(Oid) * static_cast<Size>(count + 1)));
    auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * static_cast<Size>(count + 1)));
    auto* nulls = static_cast<char*>(palloc(static_cast<Size>(count) + 1));
    for (int i = 0; i < count; ++i) {
        types[i] = parameters[i].type;
        values[i] = parameters[i].value;
        nulls[i] = parameters[i].null ? 'n' : ' ';
    }
    const int code = SPI_execute_with_args(sql, count, types, values, nulls, false, 0);
    if (code < 0) elog(ERROR, "statement failed: %s", SPI_result_code_string(code));
    StatementResult result{static_cast<std::int64_t>(SPI_processed), 0, false};
    if (SPI_tuptable != nullptr && SPI_processed > 0 && SPI_gettypeid(SPI_tuptable->tupdesc, 1) == INT4OID) {
        bool null;
        const Datum first = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null);
        result.has_first = !null;
        if (!null) result.first = DatumGetInt32(first);
    }
    SPI_finish();
    leave_role_unsafe(saved);
    return result;
}

std::string with_table_names(const Catalog& catalog, std::string sql) {
    const struct {
        std::string_view placeholder;
        Oid relation;
    } tables[] = {{"{models}", catalog.models},
                  {"{user_factors}", catalog.user_factors},
                  {"{item_factors}", catalog.item_factors},
                  {"{grants}", catalog.grants},
                  {"{jobs}", catalog.jobs}};
    for (const auto& table : tables) {
        const Oid relation = table.relation;
        replace_all(sql, table.placeholder, pg_call([relation] { return qualified_name_unsafe(relation); }));
    }
    return sql;
}

}  // namespace mf::pg
