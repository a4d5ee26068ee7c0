// Plain SQL functions for one model, with the model's own types of ids and without overloads: every driver can infer
// their parameters, ids of mixed types work, and results join with the user's tables.
//
// Their bodies are one SELECT in which every name is qualified and no operator occurs, so nothing in them is looked up
// in search_path, and the planner puts the body in place of a call. A SET clause would prevent that: with it a list
// takes twice as long, and a prediction thirty times.
#pragma once

#include "pg/sql/ids.hpp"

namespace mf::pg {

/// What the functions of a model are made from. Types are base types, qualified and quoted.
struct TypedModel {
    std::string name;
    std::string user_type;
    std::string item_type;
    IdKind user_kind;
    IdKind item_kind;
};

/// The model's types as they are now. Throws undefined_object if one was dropped, feature_not_supported for arrays.
TypedModel typed_model(const std::string& name, Oid user_type, Oid item_type);

/// One function, not created yet.
struct TypedFunction {
    std::string name;     ///< not quoted
    std::string create;   ///< CREATE OR REPLACE FUNCTION …
    std::string comment;  ///< what COMMENT ON says
};

/// The functions of the model in a schema, for the extension in the quoted schema `extension`. Throws name_too_long.
std::vector<TypedFunction> typed_functions(const TypedModel& model, const std::string& extension,
                                           const std::string& schema, const std::string& prefix);

/// The names of the functions after their prefix.
std::vector<std::string> typed_function_names();

/// Bodies begin with a mark by which their functions are found again: whether it says that mf_create_functions made the
/// function, for whatever model, for this one, or for this one with these types, so that the function can be replaced.
bool is_typed_body(std::string_view body);
bool is_body_for_model(std::string_view body, const std::string& model);
bool is_body_for_types(std::string_view body, const TypedModel& model);

}  // namespace mf::pg
