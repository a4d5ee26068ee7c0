// mf_drop_model, mf_set_live, mf_rename_model
#include "pg/sql/arguments.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/lifecycle/model_admin.hpp"

namespace mf::pg {

namespace {

struct VersionArguments {
    Catalog catalog;
    const char* model;
    std::optional<std::int32_t> version;
};

/// Model and version; throws if there is no model.
VersionArguments version_arguments(FunctionCallInfo fcinfo, const char* command) {
    const auto arguments = pg_call([fcinfo, command] {
        PreventCommandIfReadOnly(command);
        VersionArguments read{catalog_unsafe(fcinfo), text_argument_unsafe(fcinfo, 0), std::nullopt};
        if (!PG_ARGISNULL(1)) read.version = PG_GETARG_INT32(1);
        return read;
    });
    require_model_name(arguments.model);
    return arguments;
}

}  // namespace

MF_FUNCTION(mf_drop_model) {
    const VersionArguments arguments = version_arguments(fcinfo, "mf_drop_model()");
    return Int32GetDatum(drop_versions(arguments.catalog, arguments.model, arguments.version));
}

MF_FUNCTION(mf_set_live) {
    const VersionArguments arguments = version_arguments(fcinfo, "mf_set_live()");
    if (!arguments.version) throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, "the version must not be NULL");
    return Int32GetDatum(set_live(arguments.catalog, arguments.model, *arguments.version));
}

MF_FUNCTION(mf_rename_model) {
    struct Arguments {
        Catalog catalog;
        const char* model;
        const char* new_name;
    };
    const auto arguments = pg_call([fcinfo] {
        PreventCommandIfReadOnly("mf_rename_model()");
        return Arguments{catalog_unsafe(fcinfo), text_argument_unsafe(fcinfo, 0), text_argument_unsafe(fcinfo, 1)};
    });
    require_model_name(arguments.model);
    require_model_name(arguments.new_name);
    check_new_model_name(arguments.new_name);
    rename_model(arguments.catalog, arguments.model, arguments.new_name);
    return Datum{0};
}

}  // namespace mf::pg
