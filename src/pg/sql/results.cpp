#include "pg/sql/results.hpp"

namespace mf::pg {
namespace {

/// An id as plain pointers, valid while the strings of the batch live.
struct PlainId {
    std::int64_t integer;
    const char* data;
    int length;
};

constexpr std::size_t kBatch = 1024;

void put_batch_unsafe(FunctionCallInfo fcinfo, IdKind overload, const ListRow* rows, const PlainId* ids,
                      std::size_t count, std::size_t first_rank, const char* word) {
    CHECK_FOR_INTERRUPTS();
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    const Datum word_datum = word != nullptr ? CStringGetTextDatum(word) : Datum{0};
    for (std::size_t i = 0; i < count; ++i) {
        const Datum id = id_datum_unsafe(overload, ids[i].integer, ids[i].data, ids[i].length);
        const Datum number = Float4GetDatum(rows[i].number);
        const Datum rank = Int32GetDatum(static_cast<std::int32_t>(first_rank + i));
        Datum values[5] = {id, number, rank};
        bool nulls[5] = {};
        if (word != nullptr) {
            values[2] = Float4GetDatum(rows[i].second_number);
            nulls[2] = std::isnan(rows[i].second_number);
            values[3] = word_datum;
            values[4] = rank;
        }
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
        if (overload != IdKind::Integer) pfree(DatumGetPointer(id));
    }
}

}  // namespace

void begin_rows_unsafe(FunctionCallInfo fcinfo) { InitMaterializedSRF(fcinfo, 0); }

void put_row_unsafe(FunctionCallInfo fcinfo, std::initializer_list<Datum> values, std::initializer_list<double> numbers,
                    std::initializer_list<NullableDatum> others) {
    constexpr std::size_t kMostColumns = 16;
    Datum all[kMostColumns];
    bool nulls[kMostColumns] = {};
    std::size_t columns = 0;
    if (values.size() + numbers.size() + others.size() > kMostColumns) elog(ERROR, "a row has too many columns");
    for (const Datum value : values) all[columns++] = value;
    for (const double number : numbers) {
        nulls[columns] = std::isnan(number);
        all[columns++] = Float8GetDatum(number);
    }
    for (const NullableDatum& other : others) {
        nulls[columns] = other.isnull;
        all[columns++] = other.value;
    }
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    tuplestore_putvalues(result->setResult, result->setDesc, all, nulls);
}

template <class Ids>
void put_list(FunctionCallInfo fcinfo, IdKind overload, const Ids& ids, std::span<const ListRow> rows,
              const char* word) {
    std::vector<std::string> texts(overload == IdKind::Text ? std::min(rows.size(), kBatch) : 0);
    std::vector<PlainId> plain(std::min(rows.size(), kBatch));
    for (std::size_t begin = 0; begin < rows.size(); begin += kBatch) {
        const std::size_t count = std::min(kBatch, rows.size() - begin);
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t item = rows[begin + i].item;
            if (overload == IdKind::Integer) {
                plain[i] = {ids.integer(item), nullptr, 0};
                continue;
            }
            std::string_view bytes = overload == IdKind::Uuid ? ids.bytes(item) : std::string_view();
            if (overload == IdKind::Text) bytes = texts[i] = ids.text(item);
            plain[i] = {0, bytes.data(), static_cast<int>(bytes.size())};
        }
        pg_call([=, data = rows.data() + begin, plain_ids = plain.data()] {
            put_batch_unsafe(fcinfo, overload, data, plain_ids, count, begin + 1, word);
        });
    }
}

template void put_list(FunctionCallInfo, IdKind, const IdTable&, std::span<const ListRow>, const char*);
template void put_list(FunctionCallInfo, IdKind, const SortedIds&, std::span<const ListRow>, const char*);

}  // namespace mf::pg
