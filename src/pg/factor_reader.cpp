#include "pg/factor_rows.hpp"
#include "pg/tuples.hpp"

namespace mf::pg {
namespace {

/// Columns of both factor tables; items have no digest.
enum FactorColumn : AttrNumber {
    kModelId = 1,
    kId,
    kInteractions,
    kRatingBias,
    kRatingFactors,
    kRankingFactors,
    kHistoryDigest,
    kFactorColumnCount = kHistoryDigest
};

struct FactorTable {
    Oid table;
    Oid index;
    int columns;
};

FactorTable users_table(const Catalog& catalog) {
    return {catalog.user_factors, catalog.user_factors_index, kHistoryDigest};
}

std::span<const float> floats_unsafe(Datum datum) {
    ArrayType* array = DatumGetArrayTypeP(datum);
    if (ARR_NDIM(array) != 1 || ARR_HASNULL(array) || ARR_ELEMTYPE(array) != FLOAT4OID)
        ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("factors are not a one-dimensional array of real")));
    return {reinterpret_cast<const float*>(ARR_DATA_PTR(array)), static_cast<std::size_t>(ARR_DIMS(array)[0])};
}

FactorRow decode_unsafe(HeapTuple tuple, TupleDesc descriptor, int columns) {
    Datum values[kFactorColumnCount];
    bool nulls[kFactorColumnCount];
    nulls[kHistoryDigest - 1] = true;
    deform_unsafe(tuple, descriptor, columns, values, nulls);
    FactorRow row;
    const text* id = DatumGetTextPP(values[kId - 1]);
    row.id = std::string_view(VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id));
    row.interactions = static_cast<std::uint32_t>(DatumGetInt32(values[kInteractions - 1]));
    if (!nulls[kRatingBias - 1]) row.rating_bias = DatumGetFloat4(values[kRatingBias - 1]);
    if (!nulls[kRatingFactors - 1]) row.rating_factors = floats_unsafe(values[kRatingFactors - 1]);
    row.ranking_factors = floats_unsafe(values[kRankingFactors - 1]);
    if (!nulls[kHistoryDigest - 1]) row.history_digest = static_cast<std::uint64_t>(DatumGetInt64(values[kHistoryDigest - 1]));
    return row;
}

/// Rows with the model's number and, if given, one id. A row is decoded in a context of its own, which is reset after
/// it. The scan and the sink work in the caller's: the index code keeps what it needs for all of the scan (the entries
/// of dead rows, for one) in the context that is current at systable_getnext.
std::size_t scan_unsafe(const FactorTable& table, std::int64_t model_id, const char* id, const FactorRowSink* sink,
                        ExceptionHolder* exception) {
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], kModelId, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(model_id));
    const Datum key_text = id != nullptr ? CStringGetTextDatum(id) : Datum{0};
    if (id != nullptr)
        ScanKeyEntryInitialize(&keys[1], 0, kId, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID, F_TEXTEQ, key_text);
    Relation relation = table_open(table.table, AccessShareLock);
    SysScanDesc scan = systable_beginscan(relation, table.index, true, GetActiveSnapshot(), id != nullptr ? 2 : 1, keys);
    MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "mf_ext factor row", ALLOCSET_DEFAULT_SIZES);
    std::size_t rows = 0;
    for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple); tuple = systable_getnext(scan)) {
        CHECK_FOR_INTERRUPTS();
        MemoryContext caller = MemoryContextSwitchTo(row_context);
        const FactorRow row = decode_unsafe(tuple, RelationGetDescr(relation), table.columns);
        MemoryContextSwitchTo(caller);
        ++rows;
        if (!exception->run([&] { (*sink)(row); })) break;
        MemoryContextReset(row_context);
    }
    MemoryContextDelete(row_context);
    systable_endscan(scan);
    table_close(relation, AccessShareLock);
    if (id != nullptr) pfree(DatumGetPointer(key_text));
    return rows;
}

std::size_t scan(const FactorTable& table, std::int64_t model_id, const char* id, const FactorRowSink& sink) {
    ExceptionHolder exception;
    const std::size_t rows = pg_call([table, model_id, id, sink = &sink, exception = &exception] {
        return scan_unsafe(table, model_id, id, sink, exception);
    });
    exception.rethrow();
    return rows;
}

}  // namespace

void read_item_factors(const Catalog& catalog, std::int64_t model_id, const FactorRowSink& sink) {
    scan({catalog.item_factors, catalog.item_factors_index, kRankingFactors}, model_id, nullptr, sink);
}

void read_all_user_factors(const Catalog& catalog, std::int64_t model_id, const FactorRowSink& sink) {
    scan(users_table(catalog), model_id, nullptr, sink);
}

bool read_user_factors(const Catalog& catalog, std::int64_t model_id, const std::string& user_id,
                       const FactorRowSink& sink) {
    return scan(users_table(catalog), model_id, user_id.c_str(), sink) > 0;
}

}  // namespace mf::pg
