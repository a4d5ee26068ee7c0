// Multi-inserts into one of the extension's tables, with their index entries.
#pragma once

#include "pg/wall/guard.hpp"

namespace mf::pg {

/// A table open for multi-inserts. What it holds is freed by close_table_writer(), or by the end of a transaction that
/// fails before.
struct TableWriter {
    static constexpr int kBatch = 1000;

    Relation relation;
    EState* estate;
    ResultRelInfo* result;
    BulkInsertState bulk;
    MemoryContext context;  ///< of what lives until the writer is closed
    MemoryContext batch_context;
    int slot_count;  ///< as many as the largest batch: each costs microseconds, and most tenants have few rows
    TupleTableSlot* slots[kBatch];
};

TableWriter open_table_writer(Oid table);
void close_table_writer(TableWriter& writer);

/// An array of real.
Datum float_array_unsafe(const float* values, int count);
/// An array of another type, of zeros.
ArrayType* new_array_unsafe(Oid type, Size element_bytes, int count);

/// Of write_batch().
void require_slots_unsafe(TableWriter* writer, int count);
void begin_row_unsafe(TupleTableSlot* slot);
void insert_slots_unsafe(TableWriter* writer, int count);

/// Inserts `count` rows, at most kBatch: fill(slot, i) sets the i-th; columns that it does not set, such as those that
/// a later version's script has appended, are NULL. What it allocates is freed with the batch. It may raise.
template <class Fill>
void write_batch(TableWriter& writer, int count, const Fill& fill) {
    pg_call([writer = &writer, count, fill = &fill] {
        require_slots_unsafe(writer, count);
        MemoryContext caller = MemoryContextSwitchTo(writer->batch_context);
        for (int i = 0; i < count; ++i) {
            begin_row_unsafe(writer->slots[i]);
            (*fill)(writer->slots[i], i);
            ExecStoreVirtualTuple(writer->slots[i]);
        }
        MemoryContextSwitchTo(caller);
        insert_slots_unsafe(writer, count);
    });
}

}  // namespace mf::pg
