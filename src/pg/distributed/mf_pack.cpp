// mf_join_parts, mf_number_rows: aggregates that make the blocks of a distributed training run; mf_row_heads
#include "core/base/error.hpp"
#include "core/distributed/pack.hpp"
#include "pg/distributed/collected_parts.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/environment.hpp"

namespace mf::pg {
namespace {

/// The parts of a group, out of their tables while this exists.
class PartBytes {
  public:
    /// own: bytes of the group beside them. Both, the result, and the result as bytes have to fit.
    explicit PartBytes(const CollectedParts* group, std::size_t own = 0) : group_(group) {
        std::size_t bytes = own;
        for (int i = 0; i < group->count; ++i)
            bytes += pg_call([&part = group->parts[i]] { return size_unsafe(part.bytes); });
        require_task_memory("packing a bucket", 4 * static_cast<double>(bytes));
        for (int i = 0; i < group->count; ++i) {
            const CollectedPart& part = group->parts[i];
            const std::string_view bytes = pg_call([&part] { return bytes_unsafe(part.bytes); });
            all_.push_back({static_cast<std::uint32_t>(part.number), bytes});
        }
    }
    ~PartBytes() {
        for (std::size_t i = 0; i < all_.size(); ++i)
            free_bytes_unsafe(group_->parts[i].bytes, all_[i].bytes);  // pfree does not raise
    }
    PartBytes(const PartBytes&) = delete;
    PartBytes& operator=(const PartBytes&) = delete;

    const std::vector<BucketBytes>& all() const { return all_; }

  private:
    const CollectedParts* group_;
    std::vector<BucketBytes> all_;
};

PackArguments arguments_of(Datum arguments) {
    return PackArguments::read(pg_call([arguments] { return bytes_unsafe(arguments); }));
}

const CollectedParts* group_of(FunctionCallInfo fcinfo) {
    return PG_ARGISNULL(0) ? nullptr : reinterpret_cast<const CollectedParts*>(PG_GETARG_POINTER(0));
}

Datum result_of(const std::string& bytes) {
    require_datum_size(bytes.size());
    return pg_call([&bytes] { return bytea_unsafe(bytes); });
}

}  // namespace

// (state, own, number of the part, part, PackArguments)
MF_FUNCTION(mf_collect_parts) {
    return pg_call([fcinfo] {
        CollectedParts* group = collected_unsafe(fcinfo);
        MemoryContext caller = MemoryContextSwitchTo(aggregate_context_unsafe(fcinfo));
        if (group->own == 0 && !PG_ARGISNULL(1)) group->own = keep_unsafe(PG_GETARG_DATUM(1));
        if (group->argument == 0 && !PG_ARGISNULL(4)) group->argument = keep_unsafe(PG_GETARG_DATUM(4));
        MemoryContextSwitchTo(caller);
        if (!PG_ARGISNULL(2) && !PG_ARGISNULL(3))
            collect_unsafe(fcinfo, group, {0, PG_GETARG_INT32(2), PG_GETARG_DATUM(3)});
        return PointerGetDatum(group);
    });
}

MF_FUNCTION(mf_joined_parts) {
    const CollectedParts* group = group_of(fcinfo);
    if (group == nullptr || group->argument == 0) throw InvalidData("there are no parts to join");
    Environment environment = quiet_environment();
    const PartBytes parts(group);
    return result_of(join_parts(parts.all(), RowNumbers(arguments_of(group->argument).counts), environment));
}

MF_FUNCTION(mf_numbered_rows) {
    const CollectedParts* group = group_of(fcinfo);
    if (group == nullptr || group->argument == 0 || group->own == 0) throw InvalidData("there are no rows to number");
    Environment environment = quiet_environment();
    const PartBytes heads(group, pg_call([group] { return size_unsafe(group->own); }));
    const std::string_view own = pg_call([group] { return bytes_unsafe(group->own); });
    const RowsView rows(own);
    const PackArguments arguments = arguments_of(group->argument);
    const Datum result = result_of(number_columns(rows, heads.all(), RowNumbers(arguments.counts),
                                                  arguments.weighting ? &*arguments.weighting : nullptr, environment));
    free_bytes_unsafe(group->own, own);
    return result;
}

MF_FUNCTION(mf_row_heads) {
    const Datum rows = fcinfo->args[0].value;
    const std::string_view prefix = pg_call([rows] { return slice_unsafe(rows, 0, RowHeads::kPrefix); });
    const RowHeads::Place place = RowHeads::find(prefix);
    require_datum_size(place.size);
    return pg_call([rows, place] { return bytea_unsafe(slice_unsafe(rows, place.begin, place.size)); });
}

}  // namespace mf::pg
