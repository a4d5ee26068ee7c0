// mf_fold
#include "core/base/hash.hpp"
#include "core/data/split.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/wall/boundary.hpp"

namespace mf::pg {
namespace {

struct FoldArguments {
    IdView user;
    IdView item;
    std::int32_t folds;
    std::uint64_t seed;
};

std::uint64_t hash_of(const IdView& id) {
    switch (id.kind) {
        case IdKind::Integer:
            return id_hash(std::to_string(id.integer));
        case IdKind::Uuid:
            return id_hash(uuid_text({id.data, static_cast<std::size_t>(id.length)}));
        case IdKind::Text:
            break;
    }
    return id_hash({id.data, static_cast<std::size_t>(id.length)});
}

Datum fold(FunctionCallInfo fcinfo, IdKind kind) {
    const auto arguments = pg_call([fcinfo, kind] {
        return FoldArguments{id_argument_unsafe(fcinfo, 0, kind), id_argument_unsafe(fcinfo, 1, kind),
                             PG_GETARG_INT32(2), static_cast<std::uint64_t>(PG_GETARG_INT64(3))};
    });
    const std::uint32_t folds = at_least("folds", 1, arguments.folds);
    return Int32GetDatum(
        static_cast<std::int32_t>(fold_of(hash_of(arguments.user), hash_of(arguments.item), folds, arguments.seed)));
}

}  // namespace

MF_ID_FUNCTIONS(mf_fold, fold)

}  // namespace mf::pg
