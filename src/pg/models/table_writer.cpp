#include "pg/models/table_writer.hpp"

namespace mf::pg {
namespace {

void open_unsafe(TableWriter* writer, Oid table) {
    writer->relation = table_open(table, RowExclusiveLock);
    writer->estate = CreateExecutorState();
    writer->result = makeNode(ResultRelInfo);
    InitResultRelInfo(writer->result, writer->relation, 1, nullptr, 0);
    ExecOpenIndices(writer->result, false);
    writer->bulk = GetBulkInsertState();
    writer->context = CurrentMemoryContext;
    writer->batch_context = AllocSetContextCreate(CurrentMemoryContext, "mf_ext row batch", ALLOCSET_DEFAULT_SIZES);
}

void close_unsafe(TableWriter* writer) {
    for (int i = 0; i < writer->slot_count; ++i) ExecDropSingleTupleTableSlot(writer->slots[i]);
    FreeBulkInsertState(writer->bulk);
    table_finish_bulk_insert(writer->relation, 0);
    ExecCloseIndices(writer->result);
    FreeExecutorState(writer->estate);
    MemoryContextDelete(writer->batch_context);
    // The lock stays until the end of the transaction, as after any INSERT.
    table_close(writer->relation, NoLock);
}

}  // namespace

TableWriter open_table_writer(Oid table) {
    TableWriter writer{};
    pg_call([writer = &writer, table] { open_unsafe(writer, table); });
    return writer;
}

void close_table_writer(TableWriter& writer) {
    pg_call([writer = &writer] { close_unsafe(writer); });
}

ArrayType* new_array_unsafe(Oid type, Size element_bytes, int count) {
    const Size bytes = ARR_OVERHEAD_NONULLS(1) + element_bytes * static_cast<Size>(count);
    auto* array = static_cast<ArrayType*>(palloc0(bytes));
    SET_VARSIZE(array, bytes);
    array->ndim = 1;
    array->dataoffset = 0;
    array->elemtype = type;
    ARR_DIMS(array)[0] = count;
    ARR_LBOUND(array)[0] = 1;
    return array;
}

Datum float_array_unsafe(const float* values, int count) {
    ArrayType* array = new_array_unsafe(FLOAT4OID, sizeof(float), count);
    memcpy(ARR_DATA_PTR(array), values, sizeof(float) * static_cast<Size>(count));
    return PointerGetDatum(array);
}

void require_slots_unsafe(TableWriter* writer, int count) {
    MemoryContext caller = MemoryContextSwitchTo(writer->context);
    while (writer->slot_count < count) {
        writer->slots[writer->slot_count] = table_slot_create(writer->relation, nullptr);
        ++writer->slot_count;
    }
    MemoryContextSwitchTo(caller);
}

void begin_row_unsafe(TupleTableSlot* slot) {
    ExecClearTuple(slot);
    for (int i = 0; i < slot->tts_tupleDescriptor->natts; ++i) slot->tts_isnull[i] = true;
}

void insert_slots_unsafe(TableWriter* writer, int count) {
    CHECK_FOR_INTERRUPTS();
    MemoryContext caller = MemoryContextSwitchTo(writer->batch_context);
    table_multi_insert(writer->relation, writer->slots, count, GetCurrentCommandId(true), 0, writer->bulk);
    MemoryContextSwitchTo(caller);
    for (int i = 0; i < count; ++i) insert_index_entries_unsafe(writer->result, writer->slots[i], writer->estate);
    for (int i = 0; i < count; ++i) ExecClearTuple(writer->slots[i]);
    ResetPerTupleExprContext(writer->estate);
    MemoryContextReset(writer->batch_context);
}

}  // namespace mf::pg
