// mf_drop_model
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

}  // namespace mf::pg
