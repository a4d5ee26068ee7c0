// mf_split, mf_split_hash
#include "core/base/hash.hpp"
#include "pg/evaluation/split_tables.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/sql/results.hpp"
#include "pg/wall/boundary.hpp"

namespace mf::pg {
namespace {

RawSplitArguments read_split_arguments_unsafe(FunctionCallInfo fcinfo) {
    RawSplitArguments raw{};
    raw.source = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);
    raw.train = name_argument_unsafe(fcinfo, 1);
    raw.test = name_argument_unsafe(fcinfo, 2);
    raw.fraction_null = PG_ARGISNULL(3);
    raw.fraction = raw.fraction_null ? 0 : PG_GETARG_FLOAT8(3);
    raw.method = text_argument_unsafe(fcinfo, 4);
    raw.time_column = name_argument_unsafe(fcinfo, 5);
    raw.user_column = name_argument_unsafe(fcinfo, 6);
    raw.item_column = name_argument_unsafe(fcinfo, 7);
    raw.seed_null = PG_ARGISNULL(8);
    raw.seed = raw.seed_null ? 0 : PG_GETARG_INT64(8);
    raw.hash_schema = get_func_namespace(fcinfo->flinfo->fn_oid);
    return raw;
}

}  // namespace

MF_FUNCTION(mf_split) {
    const RawSplitArguments raw = pg_call([fcinfo] {
        PreventCommandIfReadOnly("mf_split()");
        PreventCommandIfParallelMode("mf_split()");
        begin_rows_unsafe(fcinfo);
        return read_split_arguments_unsafe(fcinfo);
    });
    const SplitSizes sizes = create_split_tables(check_split_arguments(raw));
    pg_call([fcinfo, sizes] { put_row_unsafe(fcinfo, {Int64GetDatum(sizes.train), Int64GetDatum(sizes.test)}); });
    return Datum{0};
}

MF_FUNCTION(mf_split_hash) {
    struct Arguments {
        IdView user;
        IdView item;
        std::uint64_t seed;
    };
    const auto arguments = pg_call([fcinfo] {
        return Arguments{id_argument_unsafe(fcinfo, 0, IdKind::Text), id_argument_unsafe(fcinfo, 1, IdKind::Text),
                         static_cast<std::uint64_t>(PG_GETARG_INT64(2))};
    });
    const auto hash = [](const IdView& id) { return id_hash({id.data, static_cast<std::size_t>(id.length)}); };
    const std::uint64_t cell = cell_hash(hash(arguments.user), hash(arguments.item), arguments.seed);
    // Flips the top bit, so that the order as bigint is that of cell_hash as an unsigned number.
    return Int64GetDatum(static_cast<std::int64_t>(cell ^ (std::uint64_t{1} << 63)));
}

}  // namespace mf::pg
