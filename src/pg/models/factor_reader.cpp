#include <algorithm>
#include <bit>
#include <cmath>

#include "core/base/half_floats.hpp"
#include "pg/models/factor_rows.hpp"
#include "pg/models/model_rows.hpp"
#include "pg/sql/citus.hpp"
#include "pg/sql/tuples.hpp"
#include "pg/wall/clipped.hpp"

namespace mf::pg {
namespace {

/// Columns of both factor tables.
enum FactorColumn : AttrNumber {
    kModelId = 1,
    kId,
    kInteractions,
    kRatingBias,
    kRatingFactors,
    kRankingFactors,
    kRatingHalves,
    kRankingHalves,
    kLast,        ///< of users the digest of the history, of items the number of rows in the source
    kPopularity,  ///< of items alone
};

struct FactorTable {
    Oid table;
    Oid index;
    bool of_users;
};

FactorTable items_table(const Catalog& catalog) { return {catalog.item_factors, catalog.item_factors_index, false}; }

FactorTable users_table(const Catalog& catalog) { return {catalog.user_factors, catalog.user_factors_index, true}; }

/// Sums without a sign reach the sign's bit where the exponent is that of infinity or NaN. Independent of each other,
/// unlike sums of floats.
bool are_finite(std::span<const float> values) {
    constexpr std::uint32_t kSign = 0x80000000u, kLeastExponent = 0x00800000u;
    std::uint32_t found = 0;
    for (const float value : values) found |= (std::bit_cast<std::uint32_t>(value) & ~kSign) + kLeastExponent;
    return (found & kSign) == 0;
}

/// Takes an array of factors; false for anything but a one-dimensional array of finite numbers.
bool take_factors_unsafe(Datum datum, std::span<const float>* factors) {
    ArrayType* array = DatumGetArrayTypeP(datum);
    if (ARR_NDIM(array) != 1 || ARR_HASNULL(array) || ARR_ELEMTYPE(array) != FLOAT4OID) return false;
    *factors = {reinterpret_cast<const float*>(ARR_DATA_PTR(array)), static_cast<std::size_t>(ARR_DIMS(array)[0])};
    return are_finite(*factors);
}

/// The same for an array of 16-bit floats, which are in the bits of smallint.
bool take_halves_unsafe(Datum datum, std::span<const float>* factors) {
    ArrayType* array = DatumGetArrayTypeP(datum);
    if (ARR_NDIM(array) != 1 || ARR_HASNULL(array) || ARR_ELEMTYPE(array) != INT2OID) return false;
    const auto count = static_cast<std::size_t>(ARR_DIMS(array)[0]);
    const auto* halves = reinterpret_cast<const std::uint16_t*>(ARR_DATA_PTR(array));
    auto* values = static_cast<float*>(palloc(count * sizeof(float)));
    float largest = 0;
    for (std::size_t i = 0; i < count; ++i) {
        values[i] = from_half(halves[i]);
        largest = std::max(largest, std::fabs(values[i]));
    }
    *factors = {values, count};
    return largest <= kLargestHalf;
}

/// Factors of one kind, in 32 or 16 bits.
struct StoredFactors {
    AttrNumber floats, halves;
};

/// Takes factors from the one of their columns that is not NULL. False where both are, or for what is no array of
/// finite numbers.
bool take_unsafe(const Datum* values, const bool* nulls, StoredFactors columns, std::span<const float>* factors) {
    if (!nulls[columns.floats - 1]) return take_factors_unsafe(values[columns.floats - 1], factors);
    return !nulls[columns.halves - 1] && take_halves_unsafe(values[columns.halves - 1], factors);
}

/// What is read of a row.
enum class Parts {
    All,
    WithoutFactors,  ///< nor the rating bias; arrays are not even detoasted
};

/// Null if the row's factors are valid, else what is wrong with them.
const char* decode_factors_unsafe(const Datum* values, const bool* nulls, FactorShape shape, FactorRow* row) {
    if (!nulls[kRatingBias - 1]) {
        row->rating_bias = DatumGetFloat4(values[kRatingBias - 1]);
        if (!std::isfinite(row->rating_bias)) return "Its rating bias is not finite.";
        if (!take_unsafe(values, nulls, {kRatingFactors, kRatingHalves}, &row->rating_factors))
            return "Its rating factors are no one-dimensional array of finite numbers.";
    }
    if (!take_unsafe(values, nulls, {kRankingFactors, kRankingHalves}, &row->ranking_factors))
        return "Its ranking factors are no one-dimensional array of finite numbers.";
    const bool has_shape = shape.ranking_factors > 0;
    if (has_shape && row->ranking_factors.size() != static_cast<std::size_t>(shape.ranking_factors))
        return "Its ranking factors are not as many as others have.";
    if (has_shape && row->rating_factors.size() != static_cast<std::size_t>(shape.rating_factors))
        return "Its rating factors are not as many as others have.";
    return nullptr;
}

/// Null if the row is valid, else what is wrong with it. The tables have constraints, but their owner can drop them.
const char* decode_unsafe(HeapTuple tuple, TupleDesc descriptor, bool of_users, Parts parts, FactorShape shape,
                          FactorRow* row) {
    Datum values[kPopularity];
    bool nulls[kPopularity];
    deform_unsafe(tuple, descriptor, of_users ? kLast : kPopularity, values, nulls);
    if (nulls[kId - 1]) return "Its id is NULL.";
    const text* id = DatumGetTextPP(values[kId - 1]);
    row->id = std::string_view(VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id));
    if (nulls[kInteractions - 1] || DatumGetInt32(values[kInteractions - 1]) < 0)
        return "Its interactions are no count.";
    row->interactions = static_cast<std::uint32_t>(DatumGetInt32(values[kInteractions - 1]));
    if ((!nulls[kRatingFactors - 1] && !nulls[kRatingHalves - 1]) ||
        (!nulls[kRankingFactors - 1] && !nulls[kRankingHalves - 1]))
        return "It has factors of one kind in 32 bits and in 16.";
    const bool has_rating = !nulls[kRatingFactors - 1] || !nulls[kRatingHalves - 1];
    if (nulls[kRatingBias - 1] == has_rating) return "It has a rating bias or rating factors, not both.";
    row->storage = nulls[kRankingFactors - 1] ? Storage::Half : Storage::Single;
    const bool has_last = !nulls[kLast - 1];
    const std::int64_t last = has_last ? DatumGetInt64(values[kLast - 1]) : 0;
    if (of_users && !has_last) return "Its digest of the history is NULL.";
    if (!of_users && (!has_last || last < 0)) return "Its rows of the source are no count.";
    (of_users ? row->history_digest : row->source_rows) = static_cast<std::uint64_t>(last);
    if (!of_users && !nulls[kPopularity - 1]) {
        const float popularity = DatumGetFloat4(values[kPopularity - 1]);
        if (!(popularity >= 0 && std::isfinite(popularity))) return "Its popularity is negative or not finite.";
        row->popularity = popularity;
    }
    return parts == Parts::All ? decode_factors_unsafe(values, nulls, shape, row) : nullptr;
}

[[noreturn]] void raise_damaged_unsafe(const Catalog& catalog, std::int64_t model_id, std::string_view id,
                                       const char* damage) {
    const ModelLabel label = label_of_version_unsafe(catalog, model_id);
    constexpr std::size_t kShownBytes = 100;
    const std::string_view shown = clipped(id, kShownBytes);
    ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                    errmsg("factors of version %d of model \"%s\" are damaged", label.version,
                           label.name != nullptr ? label.name : "?"),
                    errdetail("In the row with id \"%.*s\": %s", static_cast<int>(shown.size()), shown.data(), damage),
                    errhint("Train the model again.")));
    pg_unreachable();
}

/// Scans the rows with the model's number and, if given, one id. Each row is decoded in a separate context, which is
/// reset after the row. The scan and the sink work in the caller's context: in the context that is current at
/// systable_getnext, the index code keeps data that it needs for the whole scan (such as the entries of dead rows).
std::size_t scan_unsafe(const Catalog& catalog, const FactorTable& table, std::int64_t model_id, Parts parts,
                        FactorShape shape, const char* id, const FactorRowSink* sink, ExceptionHolder* exception) {
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], kModelId, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(model_id));
    const Datum key_text = id != nullptr ? CStringGetTextDatum(id) : Datum{0};
    if (id != nullptr)
        ScanKeyEntryInitialize(&keys[1], 0, kId, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID, F_TEXTEQ,
                               key_text);
    Relation relation = table_open(table.table, AccessShareLock);
    SysScanDesc scan =
        systable_beginscan(relation, table.index, true, GetActiveSnapshot(), id != nullptr ? 2 : 1, keys);
    MemoryContext row_context =
        AllocSetContextCreate(CurrentMemoryContext, "mf_ext factor row", ALLOCSET_DEFAULT_SIZES);
    std::size_t rows = 0;
    for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple); tuple = systable_getnext(scan)) {
        CHECK_FOR_INTERRUPTS();
        MemoryContext caller = MemoryContextSwitchTo(row_context);
        FactorRow row;
        const char* damage = decode_unsafe(tuple, RelationGetDescr(relation), table.of_users, parts, shape, &row);
        MemoryContextSwitchTo(caller);
        if (damage != nullptr) raise_damaged_unsafe(catalog, model_id, row.id, damage);
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

std::size_t scan(const Catalog& catalog, const FactorTable& table, std::int64_t model_id, Parts parts,
                 FactorShape shape, const char* id, const FactorRowSink& sink) {
    ExceptionHolder exception;
    const std::size_t rows =
        pg_call([&catalog, &table, model_id, parts, shape, id, sink = &sink, exception = &exception] {
            return scan_unsafe(catalog, table, model_id, parts, shape, id, sink, exception);
        });
    exception.rethrow();
    return rows;
}

}  // namespace

void read_item_factors(const Catalog& catalog, std::int64_t model_id, FactorShape shape, const FactorRowSink& sink) {
    scan(catalog, items_table(catalog), model_id, Parts::All, shape, nullptr, sink);
}

void read_item_counts(const Catalog& catalog, std::int64_t model_id, const FactorRowSink& sink) {
    scan(catalog, items_table(catalog), model_id, Parts::WithoutFactors, {}, nullptr, sink);
}

void require_user_factors(const Catalog& catalog, const char* function) {
    if (catalog.is_of_copies)
        throw_on_worker(std::string(function) + " needs the factors of users, which the coordinator has");
}

void require_stored_users(const Catalog& catalog, const char* function, bool stores_users, const std::string& model) {
    require_user_factors(catalog, function);
    if (!stores_users)
        throw SqlError(
            ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            std::string(function) + " needs the factors of users, which model \"" + model + "\" does not store",
            R"(It was trained with "store_users": false.)", R"(Train it without "store_users", or with true.)");
}

void read_all_user_factors(const Catalog& catalog, std::int64_t model_id, FactorShape shape,
                           const FactorRowSink& sink) {
    scan(catalog, users_table(catalog), model_id, Parts::All, shape, nullptr, sink);
}

bool read_user_factors(const Catalog& catalog, std::int64_t model_id, FactorShape shape, const std::string& user_id,
                       const FactorRowSink& sink) {
    return scan(catalog, users_table(catalog), model_id, Parts::All, shape, user_id.c_str(), sink) > 0;
}

}  // namespace mf::pg
