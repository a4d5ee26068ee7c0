#include <algorithm>

#include "core/base/half_floats.hpp"
#include "pg/models/factor_rows.hpp"
#include "pg/sql/ids.hpp"
#include "pg/sql/own_tables.hpp"

namespace mf::pg {
namespace {

constexpr int kBatch = 1000;
/// Columns of both tables; those that a later version's script may have appended get NULL.
constexpr int kColumns = 9;

/// One row to write; all pointers outlive the batch.
struct RowToWrite {
    std::string_view id;
    std::uint32_t interactions;
    const float* rating_bias;  // null: implicit feedback, no rating factors
    const float* rating_factors;
    const float* ranking_factors;
    std::uint64_t last;  // of items the rows of the source, of users the digest of the history
};

/// A table open for bulk inserts.
struct Target {
    Relation relation;
    EState* estate;
    ResultRelInfo* result;
    BulkInsertState bulk;
    TupleTableSlot* slots[kBatch];
    MemoryContext batch_context;
    std::int64_t model_id;
    int rating_count;
    int ranking_count;
    Storage storage;
};

void open_unsafe(Target* target, Oid table) {
    target->relation = table_open(table, RowExclusiveLock);
    target->estate = CreateExecutorState();
    target->result = makeNode(ResultRelInfo);
    InitResultRelInfo(target->result, target->relation, 1, nullptr, 0);
    ExecOpenIndices(target->result, false);
    target->bulk = GetBulkInsertState();
    for (TupleTableSlot*& slot : target->slots) slot = table_slot_create(target->relation, nullptr);
    target->batch_context = AllocSetContextCreate(CurrentMemoryContext, "mf_ext factor batch", ALLOCSET_DEFAULT_SIZES);
}

void close_unsafe(Target* target) {
    for (TupleTableSlot* slot : target->slots) ExecDropSingleTupleTableSlot(slot);
    FreeBulkInsertState(target->bulk);
    table_finish_bulk_insert(target->relation, 0);
    ExecCloseIndices(target->result);
    FreeExecutorState(target->estate);
    MemoryContextDelete(target->batch_context);
    // The lock stays until the end of the transaction, as after any INSERT.
    table_close(target->relation, NoLock);
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

/// 16-bit floats, as the bits of smallint.
Datum half_array_unsafe(const float* values, int count) {
    ArrayType* array = new_array_unsafe(INT2OID, sizeof(std::uint16_t), count);
    auto* halves = reinterpret_cast<std::uint16_t*>(ARR_DATA_PTR(array));
    for (int i = 0; i < count; ++i) halves[i] = to_half(values[i]);
    return PointerGetDatum(array);
}

void fill_slot_unsafe(const Target& target, TupleTableSlot* slot, const RowToWrite& row) {
    ExecClearTuple(slot);
    Datum* values = slot->tts_values;
    bool* nulls = slot->tts_isnull;
    for (int i = 0; i < slot->tts_tupleDescriptor->natts; ++i) nulls[i] = i >= kColumns;
    values[0] = Int64GetDatum(target.model_id);
    values[1] = PointerGetDatum(cstring_to_text_with_len(row.id.data(), static_cast<int>(row.id.size())));
    values[2] = Int32GetDatum(static_cast<std::int32_t>(std::min<std::uint32_t>(row.interactions, INT32_MAX)));
    // Rating factors and ranking factors stand in columns 4 and 5, or as 16-bit floats in columns 6 and 7.
    const bool half = target.storage == Storage::Half;
    const int first = half ? 6 : 4;
    const auto array = half ? half_array_unsafe : float_array_unsafe;
    for (int i = 3; i < 8; ++i) nulls[i] = true;
    if (row.rating_bias != nullptr) {
        nulls[3] = nulls[first] = false;
        values[3] = Float4GetDatum(*row.rating_bias);
        values[first] = array(row.rating_factors, target.rating_count);
    }
    nulls[first + 1] = false;
    values[first + 1] = array(row.ranking_factors, target.ranking_count);
    values[8] = Int64GetDatum(static_cast<std::int64_t>(row.last));
    ExecStoreVirtualTuple(slot);
}

void write_batch_unsafe(Target* target, const RowToWrite* rows, int count) {
    CHECK_FOR_INTERRUPTS();
    MemoryContext caller = MemoryContextSwitchTo(target->batch_context);
    for (int i = 0; i < count; ++i) fill_slot_unsafe(*target, target->slots[i], rows[i]);
    table_multi_insert(target->relation, target->slots, count, GetCurrentCommandId(true), 0, target->bulk);
    MemoryContextSwitchTo(caller);
    for (int i = 0; i < count; ++i) insert_index_entries_unsafe(target->result, target->slots[i], target->estate);
    for (int i = 0; i < count; ++i) ExecClearTuple(target->slots[i]);
    ResetPerTupleExprContext(target->estate);
    MemoryContextReset(target->batch_context);
}

/// text(i) and row(i) of `size` rows; ids are set here.
template <class TextOf, class RowOf>
void write_table(Oid table, Target& target, std::size_t size, const TextOf& text_of, const RowOf& row_of) {
    pg_call([&target, table] { open_unsafe(&target, table); });
    std::vector<std::string> texts(kBatch);
    std::vector<RowToWrite> rows(kBatch);
    for (std::size_t begin = 0; begin < size; begin += kBatch) {
        const int count = static_cast<int>(std::min<std::size_t>(kBatch, size - begin));
        for (int i = 0; i < count; ++i) {
            const auto index = static_cast<std::uint32_t>(begin + static_cast<std::size_t>(i));
            texts[i] = text_of(index);
            rows[i] = row_of(index);
            rows[i].id = texts[i];
        }
        pg_call([&target, data = rows.data(), count] { write_batch_unsafe(&target, data, count); });
    }
    pg_call([&target] { close_unsafe(&target); });
}

}  // namespace

void write_factors(const Catalog& catalog, std::int64_t model_id, const Dataset& dataset, const Model& model,
                   Storage storage) {
    const RatingModel* rating = model.rating ? &*model.rating : nullptr;
    Target target{};
    target.model_id = model_id;
    target.rating_count = rating != nullptr ? rating->items.factors() : 0;
    target.ranking_count = model.ranking.items.factors();
    target.storage = storage;
    const auto item_text = [&](std::uint32_t i) { return dataset.items.text(i); };
    write_table(catalog.item_factors, target, dataset.items.size(), item_text, [&](std::uint32_t i) {
        return RowToWrite{{},
                          model.item_interactions[i],
                          rating != nullptr ? &rating->item_bias[i] : nullptr,
                          rating != nullptr ? rating->items.row(i) : nullptr,
                          model.ranking.items.row(i),
                          model.item_interactions[i] + dataset.repeated[i]};
    });
    const auto user_text = [&](std::uint32_t u) { return dataset.users.text(u); };
    write_table(catalog.user_factors, target, dataset.users.size(), user_text, [&](std::uint32_t u) {
        return RowToWrite{{},
                          model.user_interactions[u],
                          rating != nullptr ? &rating->user_bias[u] : nullptr,
                          rating != nullptr ? rating->users.row(u) : nullptr,
                          model.ranking.users.row(u),
                          model.user_history[u]};
    });
    pg_call([] { CommandCounterIncrement(); });
}

void write_items(const Catalog& catalog, std::int64_t model_id, const SolvedItems& items, Storage storage) {
    const bool has_rating = items.rating.rows() > 0;
    Target target{};
    target.model_id = model_id;
    target.rating_count = has_rating ? items.rating.factors() : 0;
    target.ranking_count = items.ranking.factors();
    target.storage = storage;
    const auto text = [&](std::uint32_t i) { return items.ids[i]; };
    write_table(catalog.item_factors, target, items.ids.size(), text, [&](std::uint32_t i) {
        return RowToWrite{{},
                          items.interactions[i],
                          has_rating ? &items.rating_bias[i] : nullptr,
                          has_rating ? items.rating.row(i) : nullptr,
                          items.ranking.row(i),
                          items.source_rows[i]};
    });
    pg_call([] { CommandCounterIncrement(); });
}

void delete_items(const Catalog& catalog, std::int64_t model_id, const std::vector<std::string>& ids) {
    const std::string sql =
        with_table_names(catalog, "DELETE FROM {item_factors} WHERE model_id = $1 AND item_id = ANY ($2)");
    pg_call([&catalog, &ids, model_id, sql = sql.c_str()] {
        const int count = array_size_unsafe(ids.size());
        auto* texts = static_cast<Datum*>(MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * ids.size()));
        for (std::size_t i = 0; i < ids.size(); ++i)
            texts[i] = PointerGetDatum(cstring_to_text_with_len(ids[i].data(), static_cast<int>(ids[i].size())));
        ArrayType* array = construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT);
        const Parameter parameters[] = {int8_parameter(model_id), {TEXTARRAYOID, PointerGetDatum(array), false}};
        run_statement_unsafe(catalog, sql, lengthof(parameters), parameters);
    });
}

}  // namespace mf::pg
