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

/// Throws null_value_not_allowed for the name of a model that a call must give.
void require_model_name(const char* name);

/// Throws invalid_name if a model cannot be called so.
void check_new_model_name(const std::string& name);

/// What every function that gives lists is called with.
struct ListArguments {
    Catalog catalog;
    std::int32_t n;
    const char* model;
};

/// Prepares the rows of the result and reads argument number `n`, NULL counts as 0, and the model's name after it.
ListArguments list_arguments_unsafe(FunctionCallInfo fcinfo, int n);

/// Argument n of a list. Throws invalid_parameter_value if it is negative.
std::size_t list_length(std::int32_t n);

/// Length of the lists that are measured. Throws invalid_parameter_value if it is below 1.
std::size_t measured_length(std::int32_t k);

/// The user argument as an id of the model, whose users are of that kind and type. Throws invalid_text_representation
/// if it is text that no id of the type prints as.
Id user_id(const IdView& view, IdKind kind, Oid type, const std::string& model);

}  // namespace mf::pg
