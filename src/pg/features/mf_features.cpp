// mf_features
#include <algorithm>

#include "core/base/descending_order.hpp"
#include "pg/features/feature_rows.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/sql/results.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/environment.hpp"

namespace mf::pg {
namespace {

/// One row of the result.
struct Feature {
    std::string_view name;
    bool is_number;
    std::int64_t ids;
};

void put_features_unsafe(FunctionCallInfo fcinfo, const Feature* features, std::size_t count) {
    CHECK_FOR_INTERRUPTS();
    const Datum category = CStringGetTextDatum("category");
    const Datum number = CStringGetTextDatum("number");
    for (const Feature& feature : std::span(features, count)) {
        text* name = cstring_to_text_with_len(feature.name.data(), static_cast<int>(feature.name.size()));
        put_row_unsafe(fcinfo,
                       {PointerGetDatum(name), feature.is_number ? number : category, Int64GetDatum(feature.ids)});
        pfree(name);
    }
}

void put_features(FunctionCallInfo fcinfo, const FeatureRows& features, Environment& environment) {
    constexpr std::size_t kBatch = 1024;
    const IdTable& names = features.rows.items;
    std::vector<std::uint32_t> ids(names.size());
    for (const std::uint32_t feature : features.rows.by_user.columns) ++ids[feature];
    std::vector<std::uint32_t> order(names.size());
    descending_order(std::span(order), environment, [&](std::uint32_t feature) { return ids[feature]; });
    Feature batch[kBatch];
    for (std::size_t begin = 0; begin < order.size(); begin += kBatch) {
        const std::size_t count = std::min(kBatch, order.size() - begin);
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t feature = order[begin + i];
            batch[i] = {names.bytes(feature), features.is_number[feature], ids[feature]};
        }
        pg_call([fcinfo, batch = &batch[0], count] { put_features_unsafe(fcinfo, batch, count); });
    }
}

}  // namespace

MF_FUNCTION(mf_features) {
    pg_call([fcinfo] { begin_rows_unsafe(fcinfo); });
    require_given(!PG_ARGISNULL(0), "the relation");
    const char* id_column = name_argument_unsafe(fcinfo, 1);
    require_given(id_column != nullptr, "the name of the id column");
    const FeatureRelation relation = describe_features(PG_GETARG_OID(0), id_column);
    Environment environment = quiet_environment();
    put_features(fcinfo, read_features(relation, InvalidOid, environment), environment);
    return Datum{0};
}

}  // namespace mf::pg
