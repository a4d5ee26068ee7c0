// Arguments that several functions share.
#pragma once

#include "pg/sql/catalog.hpp"
#include "pg/sql/ids.hpp"

namespace mf::pg {

/// Text argument as a C string, null if it is NULL.
inline const char* text_argument_unsafe(FunctionCallInfo fcinfo, int number) {
    return PG_ARGISNULL(number) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(number));
}

/// A number as messages show it.
std::string shown_number(double value);

/// Name argument as a C string, null if it is NULL.
inline const char* name_argument_unsafe(FunctionCallInfo fcinfo, int number) {
    return PG_ARGISNULL(number) ? nullptr : NameStr(*PG_GETARG_NAME(number));
}

/// Throws null_value_not_allowed for what a call must give; `what` begins the message.
void require_given(bool given, const char* what);
inline void require_model_name(const char* name) { require_given(name != nullptr, "the name of a model"); }

/// Bytes of the longest name of a model. It is an index key; names longer than a file name help nobody.
constexpr std::size_t kLongestName = 255;

/// Throws invalid_name if a model cannot be called so.
void check_new_model_name(const std::string& name);

/// What every function that gives lists is called with.
struct ListArguments {
    Catalog catalog;
    std::int64_t n;
    const char* model;
    std::optional<std::int64_t> version;  ///< nothing: the live one
};

/// Argument number `number`, the version of a model; nothing if it is NULL.
inline std::optional<std::int64_t> version_argument_unsafe(FunctionCallInfo fcinfo, int number) {
    return PG_ARGISNULL(number) ? std::nullopt : std::optional<std::int64_t>(PG_GETARG_INT64(number));
}

/// Prepares the rows of the result and reads argument number `n`, NULL counts as 0, the model's name after it, and
/// argument number `version`.
ListArguments list_arguments_unsafe(FunctionCallInfo fcinfo, int n, int version);

/// The argument `name` as an unsigned number; what is more than an integer holds counts as the greatest integer, more
/// than there are of anything. Throws invalid_parameter_value if it is below the minimum, which is not negative.
std::uint32_t at_least(const char* name, std::int32_t minimum, std::int64_t value, const char* hint = "");

/// Argument n of a list. Throws invalid_parameter_value if it is negative.
inline std::size_t list_length(std::int64_t n) { return at_least("n", 0, n); }

/// Length of the lists that are measured. Throws invalid_parameter_value if it is below 1.
inline std::size_t measured_length(std::int64_t k) {
    return at_least("k", 1, k, "k is the length of the lists that are evaluated.");
}

/// The user argument as an id of the model, whose users are of that kind and type. Throws invalid_text_representation
/// if it is text that no id of the type prints as.
Id user_id(const IdView& view, IdKind kind, Oid type, const std::string& model);

}  // namespace mf::pg
