// Functions of models that exist in the database, found by the marks in their bodies.
#pragma once

#include "pg/lifecycle/typed_functions.hpp"

namespace mf::pg {

/// A function that exists under the name of a typed one.
struct ExistingFunction {
    Oid oid;
    bool is_typed;        ///< made by mf_create_functions, for whatever model
    bool is_of_model;     ///< and for this one
    bool has_same_types;  ///< and with these types, so that it can be replaced
};

/// The functions of that name in the schema. `types` null: no type counts as the same.
std::vector<ExistingFunction> existing_functions(Oid schema, const std::string& name, const std::string& model,
                                                 const TypedModel* types);

/// Calls of `function` (mf_create_functions or mf_drop_functions) that make the functions of `model` again, wherever
/// they are, for the model's new name, or drop them; one sentence for a hint, empty if there are none. Reads the whole
/// of pg_proc.
std::string calls_for_functions_of(const std::string& model, const char* function, const std::string& new_name);

}  // namespace mf::pg
