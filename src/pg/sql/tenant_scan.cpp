#include "pg/sql/tenant_scan.hpp"

#include "pg/sql/source_query.hpp"

extern "C" {
#include "tcop/pquery.h"
#include "utils/datum.h"
#include "utils/portal.h"
}

namespace mf::pg {
namespace {

/// Keeps copies of the rows of one fetch.
struct BlockReceiver {
    DestReceiver pub;
    MemoryContext context;
    MinimalTuple* rows;
    int count;
};

bool keep_row(TupleTableSlot* slot, DestReceiver* self) {
    auto* receiver = reinterpret_cast<BlockReceiver*>(self);
    MemoryContext executor = MemoryContextSwitchTo(receiver->context);
    receiver->rows[receiver->count++] = ExecCopySlotMinimalTuple(slot);
    MemoryContextSwitchTo(executor);
    return true;
}

}  // namespace

TenantScan::TenantScan(const Source& source, ScanFor purpose)
    : source_(source), purpose_(purpose), query_text_(tenants_query(source)), query_{source.relation} {
    const CallerRole caller;
    read_relation(source_, [this] { open_unsafe(); });
}

void TenantScan::open_unsafe() {
    connect_unsafe();
    SPIPlanPtr plan =
        prepare_checked_unsafe(query_text_.c_str(), &query_, CURSOR_OPT_NO_SCROLL | CURSOR_OPT_CUSTOM_PLAN);
    const int level = begin_nested_queries_unsafe();
    portal_ = SPI_cursor_open(nullptr, plan, nullptr, nullptr, false);
    end_nested_queries_unsafe(level);
    SPI_finish();
    PinPortal(portal_);  // code in the source may close all cursors
    of_block_ = AllocSetContextCreate(CurrentMemoryContext, "mf_ext rows of tenants", ALLOCSET_DEFAULT_SIZES);
    of_tenant_ = AllocSetContextCreate(CurrentMemoryContext, "mf_ext tenant", ALLOCSET_SMALL_SIZES);
    const TupleDesc row = CreateTupleDescCopy(portal_->tupDesc);
    slot_ = MakeSingleTupleTableSlot(row, &TTSOpsMinimalTuple);
    column_ = static_cast<AttrNumber>(row->natts);
    type_ = getBaseType(TupleDescAttr(row, column_ - 1)->atttypid);
    collation_ = TupleDescAttr(row, column_ - 1)->attcollation;
    get_typlenbyval(type_, &length_, &by_value_);
    equal_ = &lookup_type_cache(type_, TYPECACHE_EQ_OPR_FINFO)->eq_opr_finfo;
    Oid output;
    bool is_varlena;
    getTypeOutputInfo(type_, &output, &is_varlena);
    fmgr_info(output, &output_);
}

void TenantScan::close_unsafe() {
    UnpinPortal(portal_);
    SPI_cursor_close(portal_);
    portal_ = nullptr;
}

/// Puts the next row into the slot; false if there is none.
bool TenantScan::peek_unsafe() {
    if (next_ == fetched_) {
        if (ended_) return false;
        ExecClearTuple(slot_);
        MemoryContextReset(of_block_);
        BlockReceiver receiver{row_destination([](DestReceiver*, int, TupleDesc) {}, keep_row), of_block_, rows_, 0};
        const int level = begin_nested_queries_unsafe();
        PortalRunFetch(portal_, FETCH_FORWARD, kBlockRows, &receiver.pub);
        end_nested_queries_unsafe(level);
        fetched_ = receiver.count;
        rows_fetched_ += static_cast<std::uint64_t>(fetched_);
        next_ = 0;
        ended_ = fetched_ < kBlockRows;
        if (fetched_ == 0) return false;
    }
    ExecStoreMinimalTuple(rows_[next_], slot_, false);
    return true;
}

void TenantScan::set_tenant_unsafe(Datum value) {
    MemoryContext caller = MemoryContextSwitchTo(of_tenant_);
    value_ = datumCopy(value, by_value_, length_);
    text_ = text_unsafe(value_);
    MemoryContextSwitchTo(caller);
}

const char* TenantScan::text_unsafe(Datum value) {
    char* text = OutputFunctionCall(&output_, value);
    if (type_ != BPCHAROID) return text;
    // Blanks at the end are no part of a value of type char(n).
    std::size_t length = strlen(text);
    while (length > 0 && text[length - 1] == ' ') --length;
    text[length] = '\0';
    return text;
}

/// Whether the row in the slot is the tenant's.
bool TenantScan::is_same_unsafe() {
    bool is_null;
    const Datum value = slot_getattr(slot_, column_, &is_null);
    if (is_null) return false;
    if (datumIsEqual(value, value_, by_value_, length_)) return true;
    MemoryContext caller = MemoryContextSwitchTo(of_block_);
    const bool is_equal = DatumGetBool(FunctionCall2Coll(equal_, collation_, value, value_));
    const bool is_first = is_equal && strcmp(text_unsafe(value), text_) < 0;
    MemoryContextSwitchTo(caller);
    if (is_first) set_tenant_unsafe(value);
    return is_equal;
}

bool TenantScan::next() {
    read_relation(source_, [this] {
        while (has_tenant_ && peek_unsafe() && is_same_unsafe()) ++next_;
        has_tenant_ = false;
        MemoryContextReset(of_tenant_);
        if (peek_unsafe()) {
            bool is_null;
            const Datum value = slot_getattr(slot_, column_, &is_null);
            if (!is_null) {
                set_tenant_unsafe(value);
                has_tenant_ = true;
                return;
            }
        }
        for (; peek_unsafe(); ++next_) ++without_tenant_;
        close_unsafe();
    });
    return has_tenant_;
}

std::uint64_t TenantScan::read(RowSink& sink) {
    RowBatch batch(source_, purpose_);
    ExceptionHolder exception;
    Receiver receiver = make_receiver(source_, true, batch, sink, exception);
    read_relation(source_, [this, dest = &receiver.pub] {
        dest->rStartup(dest, CMD_SELECT, slot_->tts_tupleDescriptor);
        for (bool more = true; more && peek_unsafe() && is_same_unsafe(); ++next_)
            more = dest->receiveSlot(slot_, dest);
    });
    exception.rethrow();
    pass_on(receiver);
    return batch.skipped();
}

bool TenantScan::is_read_back() const {
    return pg_call([this] {
        Oid input;
        Oid parameter;
        getTypeInputInfo(type_, &input, &parameter);
        const Datum again = OidInputFunctionCall(input, const_cast<char*>(text_), parameter, -1);
        return DatumGetBool(FunctionCall2Coll(equal_, collation_, value_, again));
    });
}

}  // namespace mf::pg
