#include "pg/sql/arguments.hpp"

#include <algorithm>

#include "pg/sql/results.hpp"

namespace mf::pg {
ListArguments list_arguments_unsafe(FunctionCallInfo fcinfo, int n, int version) {
    begin_rows_unsafe(fcinfo);
    return {catalog_unsafe(fcinfo), PG_ARGISNULL(n) ? 0 : PG_GETARG_INT64(n), text_argument_unsafe(fcinfo, n + 1),
            version_argument_unsafe(fcinfo, version)};
}

std::string shown_number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
    char text[32];
    snprintf(text, sizeof text, "%g", value);
    return text;
}

void require_given(bool given, const char* what) {
    if (!given) throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, std::string(what) + " must not be NULL");
}

void check_new_model_name(const std::string& name) {
    if (name.empty() || name.size() > kLongestName)
        throw SqlError(ERRCODE_INVALID_NAME, "the name of a model must have 1 to " + std::to_string(kLongestName) +
                                                 " bytes, not " + std::to_string(name.size()));
}

std::uint32_t at_least(const char* name, std::int32_t minimum, std::int64_t value, const char* hint) {
    if (value >= minimum) return static_cast<std::uint32_t>(std::min<std::int64_t>(value, INT32_MAX));
    throw SqlError(
        ERRCODE_INVALID_PARAMETER_VALUE,
        std::string(name) + " must be at least " + std::to_string(minimum) + ", not " + std::to_string(value), "",
        hint);
}

Id user_id(const IdView& view, IdKind kind, Oid type, const std::string& model) {
    std::optional<Id> id = convert_id(view, kind);
    if (id) return std::move(*id);
    throw SqlError(ERRCODE_INVALID_TEXT_REPRESENTATION,
                   "user id \"" + std::string(view.data, static_cast<std::size_t>(view.length)) + "\" is not of type " +
                       type_name(type),
                   "", "Users of model \"" + model + "\" are identified by that type.");
}

}  // namespace mf::pg
