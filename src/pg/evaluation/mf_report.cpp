// mf_report
#include "pg/sql/arguments.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/evaluation/report.hpp"

namespace mf::pg {

MF_FUNCTION(mf_report) {
    struct Arguments {
        Catalog catalog;
        const char* model;
    };
    const auto arguments = pg_call([fcinfo] {
        return Arguments{catalog_unsafe(fcinfo), text_argument_unsafe(fcinfo, 0)};
    });
    std::string name;
    const ModelVersion version = find_model(arguments.catalog, arguments.model, &name);
    const std::string page = report_html(arguments.catalog, version);
    return pg_call([text = page.c_str()] { return CStringGetTextDatum(text); });
}

}  // namespace mf::pg
