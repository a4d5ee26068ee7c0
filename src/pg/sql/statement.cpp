#include "pg/sql/statement.hpp"

namespace mf::pg {

Parameter text_parameter_unsafe(const char* value) {
    if (value == nullptr) return null_parameter(TEXTOID);
    return {TEXTOID, CStringGetTextDatum(value), false};
}

Parameter name_parameter_unsafe(const char* value) {
    if (value == nullptr || *value == '\0') return null_parameter(NAMEOID);
    return {NAMEOID, DirectFunctionCall1(namein, CStringGetDatum(value)), false};
}

Parameter jsonb_parameter_unsafe(const char* json) {
    return {JSONBOID, DirectFunctionCall1(jsonb_in, CStringGetDatum(json)), false};
}

RoleSwitch begin_statement_unsafe(Oid role, const Statement& statement) {
    const RoleSwitch saved = enter_role_unsafe(role, SECURITY_LOCAL_USERID_CHANGE);
    set_config_option("extra_float_digits", "1", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "SPI_connect failed");
    const int count = statement.count;
    auto* types = static_cast<Oid*>(palloc(sizeof(Oid) * static_cast<Size>(count + 1)));
    auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * static_cast<Size>(count + 1)));
    auto* nulls = static_cast<char*>(palloc(static_cast<Size>(count) + 1));
    for (int i = 0; i < count; ++i) {
        types[i] = statement.parameters[i].type;
        values[i] = statement.parameters[i].value;
        nulls[i] = statement.parameters[i].null ? 'n' : ' ';
    }
    const int code = SPI_execute_with_args(statement.sql, count, types, values, nulls, statement.reads_only, 0);
    if (code < 0) elog(ERROR, "statement failed: %s", SPI_result_code_string(code));
    return saved;
}

void end_statement_unsafe(const RoleSwitch& saved) {
    SPI_finish();
    leave_role_unsafe(saved);
}

}  // namespace mf::pg
