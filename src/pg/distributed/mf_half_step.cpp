// mf_half_step: an aggregate that runs a step of a distributed training run for one bucket; mf_step_sums
//
// Groups are the buckets that lie where the query runs; each has the same rows of the step and of the other side. These
// are read once for all groups: what all have in common hangs on the transition function, which lives as long as the
// query, while a group keeps pointers to its own rows and factors.
#include <optional>
#include <vector>

#include "core/base/error.hpp"
#include "core/distributed/run_step.hpp"
#include "pg/distributed/collected_parts.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/call_site.hpp"
#include "pg/wall/environment.hpp"

namespace mf::pg {
namespace {

constexpr auto kStepPart = static_cast<std::int32_t>(PartKind::Step);

/// What all groups of a query share. Data lie in the memory context of the transition function.
class SharedParts {
  public:
    /// True if the part is one to keep: the same part comes with every group.
    bool is_new(std::int32_t kind, std::int32_t number) const {
        if (kind == kStepPart) return step_ == 0;
        if (number < 0 || static_cast<std::uint32_t>(number) >= kMostBuckets)
            throw InvalidData("a part of a half-step belongs to no bucket");
        const auto at = static_cast<std::size_t>(number);
        return at >= seen_.size() || !seen_[at];
    }
    void add(const CollectedPart& part) {
        if (part.kind == kStepPart) {
            step_ = part.bytes;
            return;
        }
        const auto at = static_cast<std::size_t>(part.number);
        if (at >= seen_.size()) seen_.resize(at + 1);
        seen_[at] = true;
        waiting_.push_back(part);
    }

    /// The result for a group. The first one reads what all share.
    std::string run(Datum rows, std::int32_t bucket, Datum own) {
        Environment environment = quiet_environment();
        if (!step_read_) read_step();
        require_memory(pg_call([rows] { return size_unsafe(rows); }), static_cast<std::uint32_t>(bucket));
        if (!other_) read_other_side(environment);
        const std::string_view row_bytes = pg_call([rows] { return bytes_unsafe(rows); });
        const std::string_view own_bytes = own == 0 ? std::string_view() : pg_call([own] { return bytes_unsafe(own); });
        std::string result =
            run_step(step(), static_cast<std::uint32_t>(bucket), RowsView(row_bytes), own_bytes, *other_, environment);
        free_bytes_unsafe(rows, row_bytes);
        if (own != 0) free_bytes_unsafe(own, own_bytes);
        return result;
    }

  private:
    /// All factors of the other side, and a copy of them in 16 bits; the bucket's rows, the weights of their entries
    /// and the entries that a step selects; its own factors, before and after, and the result.
    void require_memory(std::size_t row_bytes, std::uint32_t bucket) const {
        const Step& step = *step_read_;
        const RowNumbers own(step.own_counts);
        if (bucket >= own.buckets()) throw InvalidData("a block of a training run belongs to no bucket");
        const auto stride = static_cast<double>(FactorMatrix::padded(static_cast<int>(step.factors)));
        require_task_memory("a half-step", 6 * stride * RowNumbers(step.other_counts).rows() +
                                               2.5 * static_cast<double>(row_bytes) + 16 * stride * own.count(bucket));
    }

    const Step& step() const { return *step_read_; }

    void read_step() {
        if (step_ == 0) throw InvalidData("a half-step lacks its step");
        const std::string_view bytes = pg_call([datum = step_] { return bytes_unsafe(datum); });
        step_read_ = Step::read(bytes);
        free_bytes_unsafe(step_, bytes);
    }

    void read_other_side(Environment& environment) {
        OtherSide other(*step_read_);
        for (const CollectedPart& part : waiting_) {
            const std::string_view factors = pg_call([&part] {
                CHECK_FOR_INTERRUPTS();
                return bytes_unsafe(part.bytes);
            });
            other.add(static_cast<std::uint32_t>(part.number), factors);
            free_bytes_unsafe(part.bytes, factors);
        }
        other.finish(environment);
        other_ = std::move(other);
    }

    Datum step_ = 0;
    std::vector<bool> seen_;
    std::vector<CollectedPart> waiting_;
    std::optional<Step> step_read_;
    std::optional<OtherSide> other_;
};

/// The state of a group, in the aggregate's memory context.
struct HalfStep {
    SharedParts* shared;
    Datum rows;
    std::int32_t bucket;
    Datum own;  ///< factors; 0: none
};

HalfStep* group_unsafe(FunctionCallInfo fcinfo, SharedParts* shared, MemoryContext context) {
    if (!PG_ARGISNULL(0)) return reinterpret_cast<HalfStep*>(PG_GETARG_POINTER(0));
    MemoryContext caller = MemoryContextSwitchTo(context);
    auto* group = static_cast<HalfStep*>(palloc0(sizeof(HalfStep)));
    group->shared = shared;
    group->rows = keep_unsafe(PG_GETARG_DATUM(1));
    group->bucket = PG_GETARG_INT32(3);
    MemoryContextSwitchTo(caller);
    return group;
}

}  // namespace

// (state, rows, their side, bucket, what the part is, its bucket, its bytes)
MF_FUNCTION(mf_add_half_step) {
    MemoryContext context = pg_call([fcinfo] {
        for (int i = 1; i <= 6; ++i)
            if (PG_ARGISNULL(i))
                ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a half-step has no NULLs")));
        return aggregate_context_unsafe(fcinfo);
    });
    // Made at the first row of the query.
    SharedParts* const shared = &of_call_site<SharedParts>(fcinfo->flinfo);
    HalfStep* const group = pg_call([=] { return group_unsafe(fcinfo, shared, context); });
    const CollectedPart part{PG_GETARG_INT32(4), PG_GETARG_INT32(5), PG_GETARG_DATUM(6)};
    const bool is_own = part.kind == PG_GETARG_INT32(2);
    if (!is_own && !shared->is_new(part.kind, part.number)) return PointerGetDatum(group);
    const Datum kept = pg_call([&part, where = is_own ? context : fcinfo->flinfo->fn_mcxt] {
        MemoryContext caller = MemoryContextSwitchTo(where);
        const Datum copy = keep_unsafe(part.bytes);
        MemoryContextSwitchTo(caller);
        return copy;
    });
    if (is_own)
        group->own = kept;
    else
        shared->add({part.kind, part.number, kept});
    return PointerGetDatum(group);
}

MF_FUNCTION(mf_half_step_result) {
    if (PG_ARGISNULL(0)) throw InvalidData("there are no rows to solve");
    const auto* group = reinterpret_cast<const HalfStep*>(PG_GETARG_POINTER(0));
    const std::string result = group->shared->run(group->rows, group->bucket, group->own);
    require_datum_size(result.size());
    return pg_call([&result] { return bytea_unsafe(result); });
}

MF_FUNCTION(mf_step_sums) {
    const Datum factors = fcinfo->args[0].value;
    const std::string_view prefix = pg_call([factors] { return slice_unsafe(factors, 0, kSumsPrefix); });
    const std::string_view begin = pg_call([factors, end = sums_end(prefix)] { return slice_unsafe(factors, 0, end); });
    const std::string sums = FactorBlock::write(read_sums(begin), FactorView(nullptr, 0, 1), {});
    return pg_call([&sums] { return bytea_unsafe(sums); });
}

}  // namespace mf::pg
