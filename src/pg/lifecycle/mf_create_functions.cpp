// mf_create_functions, mf_drop_functions
#include "pg/lifecycle/existing_functions.hpp"
#include "pg/models/model_rows.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/sql/quoting.hpp"
#include "pg/sql/results.hpp"
#include "pg/sql/statement.hpp"
#include "pg/wall/boundary.hpp"

extern "C" {
#include "utils/regproc.h"
}

namespace mf::pg {
namespace {

struct Arguments {
    Catalog catalog;
    const char* model;
    const char* schema;  ///< null: the current one
    const char* prefix;  ///< null: the model's name and '_'
};

Arguments read_arguments(FunctionCallInfo fcinfo, const char* command) {
    const auto arguments = pg_call([fcinfo, command] {
        PreventCommandIfReadOnly(command);
        InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
        return Arguments{catalog_unsafe(fcinfo), text_argument_unsafe(fcinfo, 0), name_argument_unsafe(fcinfo, 1),
                         text_argument_unsafe(fcinfo, 2)};
    });
    require_model_name(arguments.model);
    return arguments;
}

struct Schema {
    Oid oid;
    std::string name;  ///< not quoted
};

/// The schema that is named, or the current one. Throws undefined_schema or insufficient_privilege.
Schema wanted_schema(const Arguments& arguments, bool to_create) {
    const Oid oid = pg_call([schema = arguments.schema, to_create] {
        if (schema != nullptr)
            return to_create ? LookupCreationNamespace(schema) : LookupExplicitNamespace(schema, false);
        List* path = fetch_search_path(false);
        return path == NIL ? InvalidOid : linitial_oid(path);
    });
    if (!OidIsValid(oid))
        throw SqlError(ERRCODE_UNDEFINED_SCHEMA, "no schema has been selected", "",
                       "Pass schema => '...', or set search_path.");
    return {oid, schema_name(oid)};
}

std::string wanted_prefix(const Arguments& arguments) {
    return arguments.prefix != nullptr ? arguments.prefix : std::string(arguments.model) + "_";
}

/// Runs a statement with the caller's rights.
void execute(const std::string& sql) {
    pg_call([sql = sql.c_str()] {
        execute_unsafe(GetUserId(), {sql, 0, nullptr}, [](std::uint64_t, SPITupleTable*) {});
    });
}

/// As DROP FUNCTION names it.
std::string signature(Oid function) {
    return pg_call([function] { return format_procedure_qualified(function); });
}

void put_text(FunctionCallInfo fcinfo, const std::string& text) {
    pg_call([fcinfo, text = text.c_str()] { put_row_unsafe(fcinfo, {CStringGetTextDatum(text)}); });
}

/// Creates the function, or replaces one that was made for the same types, with its grants. Returns its signature.
std::string create_function(const TypedFunction& function, const Schema& schema, const TypedModel& model) {
    for (const ExistingFunction& existing : existing_functions(schema.oid, function.name, model.name, &model)) {
        if (!existing.is_typed)
            throw SqlError(ERRCODE_DUPLICATE_FUNCTION, "function " + signature(existing.oid) + " already exists",
                           "It was not made by mf_create_functions.", "Pass another prefix or schema.");
        if (!existing.has_same_types) execute("DROP FUNCTION " + signature(existing.oid));
    }
    execute(function.create);
    // There is one function of the name now.
    const std::vector<ExistingFunction> created = existing_functions(schema.oid, function.name, model.name, &model);
    if (created.size() != 1)
        throw SqlError(ERRCODE_INTERNAL_ERROR, "function \"" + function.name + "\" was not created");
    std::string name = signature(created.front().oid);
    execute("COMMENT ON FUNCTION " + name + " IS " + quoted_literal(function.comment));
    return name;
}

}  // namespace

MF_FUNCTION(mf_create_functions) {
    const Arguments arguments = read_arguments(fcinfo, "mf_create_functions()");
    std::string name;
    const ModelVersion version = find_model(arguments.catalog, arguments.model, &name);
    const Schema schema = wanted_schema(arguments, true);
    const std::string extension = extension_schema(arguments.catalog);
    const TypedModel model = typed_model(name, version.user_type, version.item_type);
    for (const TypedFunction& function : typed_functions(model, extension, schema.name, wanted_prefix(arguments)))
        put_text(fcinfo, create_function(function, schema, model));
    return Datum{0};
}

MF_FUNCTION(mf_drop_functions) {
    const Arguments arguments = read_arguments(fcinfo, "mf_drop_functions()");
    const Schema schema = wanted_schema(arguments, false);
    const std::string prefix = wanted_prefix(arguments);
    bool found = false;
    for (const std::string& name : typed_function_names())
        for (const ExistingFunction& existing : existing_functions(schema.oid, prefix + name, arguments.model, nullptr))
            if (existing.is_of_model) {
                const std::string dropped = signature(existing.oid);
                execute("DROP FUNCTION " + dropped);
                put_text(fcinfo, dropped);
                found = true;
            }
    if (!found)
        throw SqlError(ERRCODE_UNDEFINED_FUNCTION,
                       "schema \"" + schema.name + "\" has no functions of model \"" + arguments.model +
                           "\" with prefix \"" + prefix + "\"",
                       "",
                       "SELECT oid::regprocedure FROM pg_proc WHERE prosrc LIKE '/* mf_create_functions %'; lists them "
                       "all.");
    return Datum{0};
}

}  // namespace mf::pg
