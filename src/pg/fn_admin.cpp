// mf_drop_model, mf_set_live, mf_rename_model
#include "pg/arguments.hpp"
#include "pg/boundary.hpp"
#include "pg/model_admin.hpp"

namespace mf::pg {

MF_FUNCTION(mf_drop_model) {
    struct Arguments {
        Catalog catalog;
        const char* model;
        bool all;
        std::int32_t version;
    };
    const auto arguments = pg_call([fcinfo] {
        PreventCommandIfReadOnly("mf_drop_model()");
        const bool all = PG_ARGISNULL(1);
        return Arguments{catalog_unsafe(fcinfo), text_argument_unsafe(fcinfo, 0), all, all ? 0 : PG_GETARG_INT32(1)};
    });
    require_model_name(arguments.model);
    const std::optional<std::int32_t> version =
        arguments.all ? std::nullopt : std::optional<std::int32_t>(arguments.version);
    return Int32GetDatum(drop_versions(arguments.catalog, arguments.model, version));
}

MF_FUNCTION(mf_set_live) {
    struct Arguments {
        Catalog catalog;
        const char* model;
        bool version_null;
        std::int32_t version;
    };
    const auto arguments = pg_call([fcinfo] {
        PreventCommandIfReadOnly("mf_set_live()");
        const bool null = PG_ARGISNULL(1);
        return Arguments{catalog_unsafe(fcinfo), text_argument_unsafe(fcinfo, 0), null, null ? 0 : PG_GETARG_INT32(1)};
    });
    require_model_name(arguments.model);
    if (arguments.version_null) throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, "the version must not be NULL");
    return Int32GetDatum(set_live(arguments.catalog, arguments.model, arguments.version));
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
