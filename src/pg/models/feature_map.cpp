#include "pg/models/feature_map.hpp"

#include <algorithm>
#include <cmath>

#include "pg/models/table_writer.hpp"
#include "pg/sql/tuples.hpp"
#include "pg/wall/clipped.hpp"

namespace mf::pg {
namespace {

enum MapColumn : AttrNumber {
    kModelId = 1,
    kFeature,
    kKind,
    kCenter,
    kScale,
    kRatingBias,
    kRatingFactors,
    kRankingFactors,
    kMapColumnCount = kRankingFactors
};

/// Name of the intercept's row, which no feature has, and the first in the order of the index.
constexpr std::string_view kIntercept;
constexpr const char* kKindOfIntercept = "intercept";
constexpr const char* kKindOfNumber = "number";
constexpr const char* kKindOfCategory = "category";

/// One row to write; all pointers outlive the batch.
struct RowToWrite {
    std::string_view feature;
    const char* kind;
    FeatureScale scale;
    const float* rating;  // null: implicit feedback
    const float* ranking;
};

void fill_slot_unsafe(std::int64_t model_id, int rating_count, int ranking_count, const RowToWrite& row,
                      TupleTableSlot* slot) {
    const auto set = [slot](MapColumn column, Datum value) {
        slot->tts_values[column - 1] = value;
        slot->tts_isnull[column - 1] = false;
    };
    set(kModelId, Int64GetDatum(model_id));
    set(kFeature, PointerGetDatum(cstring_to_text_with_len(row.feature.data(), static_cast<int>(row.feature.size()))));
    set(kKind, CStringGetTextDatum(row.kind));
    set(kCenter, Float8GetDatum(row.scale.center));
    set(kScale, Float8GetDatum(row.scale.scale));
    if (row.rating != nullptr) {
        set(kRatingBias, Float4GetDatum(row.rating[rating_count]));
        set(kRatingFactors, float_array_unsafe(row.rating, rating_count));
    }
    set(kRankingFactors, float_array_unsafe(row.ranking, ranking_count));
}

/// One row as stored; pointers are valid until the scan goes on.
struct MapRow {
    std::string_view feature;
    FeatureScale scale;
    bool has_rating;
    float rating_bias;
    std::span<const float> rating_factors;
    std::span<const float> ranking_factors;
};

/// Takes an array of factors; false for anything but a one-dimensional array of that many finite numbers, or any number
/// of them for 0.
bool take_factors_unsafe(Datum datum, int count, std::span<const float>* factors) {
    ArrayType* array = DatumGetArrayTypeP(datum);
    if (ARR_NDIM(array) != 1 || ARR_HASNULL(array) || ARR_ELEMTYPE(array) != FLOAT4OID) return false;
    *factors = {reinterpret_cast<const float*>(ARR_DATA_PTR(array)), static_cast<std::size_t>(ARR_DIMS(array)[0])};
    const bool finite = std::all_of(factors->begin(), factors->end(), [](float x) { return std::isfinite(x); });
    return finite && (count == 0 || factors->size() == static_cast<std::size_t>(count));
}

/// Null if the row is valid, else what is wrong with it. The table has constraints, but its owner can drop them.
const char* decode_unsafe(HeapTuple tuple, TupleDesc descriptor, bool with_factors, FactorShape shape, MapRow* row) {
    Datum values[kMapColumnCount];
    bool nulls[kMapColumnCount];
    deform_unsafe(tuple, descriptor, kMapColumnCount, values, nulls);
    const auto value = [&values](MapColumn column) { return values[column - 1]; };
    if (nulls[kFeature - 1]) return "Its name is NULL.";
    const text* name = DatumGetTextPP(value(kFeature));
    row->feature = std::string_view(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
    const char* kind = nulls[kKind - 1] ? "" : TextDatumGetCString(value(kKind));
    row->scale.is_number = strcmp(kind, kKindOfNumber) == 0;
    const bool is_intercept = strcmp(kind, kKindOfIntercept) == 0;
    if (!row->scale.is_number && !is_intercept && strcmp(kind, kKindOfCategory) != 0) return "Its kind is unknown.";
    if (is_intercept != (row->feature == kIntercept)) return "It has the name of the intercept or its kind, not both.";
    row->scale.center = nulls[kCenter - 1] ? NAN : DatumGetFloat8(value(kCenter));
    row->scale.scale = nulls[kScale - 1] ? NAN : DatumGetFloat8(value(kScale));
    if (!std::isfinite(row->scale.center) || !std::isfinite(row->scale.scale)) return "Its scale is not finite.";
    row->has_rating = !nulls[kRatingFactors - 1];
    if (nulls[kRatingBias - 1] == row->has_rating) return "It has a rating bias or rating factors, not both.";
    if (shape.ranking_factors > 0 && row->has_rating != (shape.rating_factors > 0))
        return "Its rating factors are not as many as those of items.";
    if (!with_factors) return nullptr;
    row->rating_bias = row->has_rating ? DatumGetFloat4(value(kRatingBias)) : 0.0f;
    if (!std::isfinite(row->rating_bias)) return "Its rating bias is not finite.";
    if (row->has_rating && !take_factors_unsafe(value(kRatingFactors), shape.rating_factors, &row->rating_factors))
        return "Its rating factors are not as many finite numbers as those of items.";
    if (nulls[kRankingFactors - 1] ||
        !take_factors_unsafe(value(kRankingFactors), shape.ranking_factors, &row->ranking_factors))
        return "Its ranking factors are not as many finite numbers as those of items.";
    return nullptr;
}

[[noreturn]] void raise_damaged_unsafe(const char* label, std::string_view feature, const char* damage) {
    constexpr std::size_t kShownBytes = 100;
    const std::string_view shown = clipped(feature, kShownBytes);
    ereport(ERROR,
            (errcode(ERRCODE_DATA_CORRUPTED), errmsg("features of %s are damaged", label),
             errdetail("In the row of feature \"%.*s\": %s", static_cast<int>(shown.size()), shown.data(), damage),
             errhint("Train the model again.")));
    pg_unreachable();
}

/// Receives rows; may throw.
using MapRowSink = std::function<void(const MapRow&)>;

/// Reads rows of one version. Each is decoded in a context of its own, while the scan works in the caller's, where the
/// index code keeps data for the whole scan.
class MapScan {
  public:
    MapScan(const Catalog& catalog, Side side, std::int64_t model_id, FactorShape shape, const std::string& label)
        : table_(catalog.features[side]),
          index_(catalog.features_index[side]),
          model_id_(model_id),
          shape_(shape),
          label_(label.c_str()) {}

    /// Passes all rows to the sink in the byte order of their names, or those of some names; without factors, these are
    /// not even detoasted.
    void read(const std::vector<std::string_view>* names, bool with_factors, const MapRowSink& sink) const {
        ExceptionHolder exception;
        pg_call([this, names, with_factors, sink = &sink, exception = &exception] {
            Relation relation = table_open(table_, AccessShareLock);
            MemoryContext row_context =
                AllocSetContextCreate(CurrentMemoryContext, "mf_ext feature row", ALLOCSET_DEFAULT_SIZES);
            const std::size_t scans = names != nullptr ? names->size() : 1;
            bool more = true;
            for (std::size_t i = 0; more && i < scans; ++i)
                more = scan_unsafe(relation, row_context, names != nullptr ? &(*names)[i] : nullptr, with_factors, sink,
                                   exception);
            MemoryContextDelete(row_context);
            table_close(relation, AccessShareLock);
        });
        exception.rethrow();
    }

  private:
    /// False if the sink threw.
    bool scan_unsafe(Relation relation, MemoryContext row_context, const std::string_view* feature, bool with_factors,
                     const MapRowSink* sink, ExceptionHolder* exception) const {
        ScanKeyData keys[2];
        ScanKeyInit(&keys[0], kModelId, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(model_id_));
        text* key_text = nullptr;
        if (feature != nullptr) {
            key_text = cstring_to_text_with_len(feature->data(), static_cast<int>(feature->size()));
            ScanKeyEntryInitialize(&keys[1], 0, kFeature, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID, F_TEXTEQ,
                                   PointerGetDatum(key_text));
        }
        SysScanDesc scan =
            systable_beginscan(relation, index_, true, GetActiveSnapshot(), feature != nullptr ? 2 : 1, keys);
        bool more = true;
        for (HeapTuple tuple; more && HeapTupleIsValid(tuple = systable_getnext(scan));) {
            CHECK_FOR_INTERRUPTS();
            MemoryContext caller = MemoryContextSwitchTo(row_context);
            MapRow row;
            const char* damage = decode_unsafe(tuple, RelationGetDescr(relation), with_factors, shape_, &row);
            MemoryContextSwitchTo(caller);
            if (damage != nullptr) raise_damaged_unsafe(label_, row.feature, damage);
            more = exception->run([&] { (*sink)(row); });
            MemoryContextReset(row_context);
        }
        systable_endscan(scan);
        if (key_text != nullptr) pfree(key_text);
        return more;
    }

    Oid table_;
    Oid index_;
    std::int64_t model_id_;
    FactorShape shape_;
    const char* label_;
};

[[noreturn]] void throw_damaged(const std::string& label, const std::string& detail) {
    throw SqlError(ERRCODE_DATA_CORRUPTED, "features of " + label + " are damaged", detail, "Train the model again.");
}

/// The first rows of a matrix and its last one.
FactorMatrix without_gap(const FactorMatrix& matrix, std::size_t first_rows) {
    FactorMatrix result(first_rows + 1, matrix.factors());
    for (std::size_t r = 0; r <= first_rows; ++r)
        std::copy_n(matrix.row(r < first_rows ? r : matrix.rows() - 1), matrix.stride(), result.row(r));
    return result;
}

/// Takes rows, those of features in the order of their names.
class MapBuilder {
  public:
    /// At most `rows` of them, the intercept's included.
    MapBuilder(std::size_t rows, const std::string& label) : label_(label), features_(rows - 1) {}

    void add(const MapRow& row) {
        if (map_.ranking.rows() == 0) {
            ranking_factors_ = row.ranking_factors.size();
            rating_factors_ = row.rating_factors.size();
            map_.ranking = FactorMatrix(features_ + 1, static_cast<int>(ranking_factors_));
            if (row.has_rating) map_.rating = FactorMatrix(features_ + 1, static_cast<int>(rating_factors_) + 1);
        }
        if (row.ranking_factors.size() != ranking_factors_ || row.rating_factors.size() != rating_factors_ ||
            row.has_rating != (map_.rating.rows() > 0))
            throw_damaged(label_, "Its rows have different numbers of factors.");
        std::size_t index = features_;
        if (row.feature == kIntercept) {
            has_intercept_ = true;
        } else {
            index = map_.features.intern(row.feature);
            map_.scales.push_back(row.scale);
        }
        std::copy(row.ranking_factors.begin(), row.ranking_factors.end(), map_.ranking.row(index));
        if (!row.has_rating) return;
        std::copy(row.rating_factors.begin(), row.rating_factors.end(), map_.rating.row(index));
        map_.rating.row(index)[rating_factors_] = row.rating_bias;
    }

    /// Nothing if no row was added.
    std::optional<StoredMap> finish() && {
        if (map_.ranking.rows() == 0) return std::nullopt;
        if (!has_intercept_) throw_damaged(label_, "The row of the intercept is missing.");
        const std::size_t found = map_.features.size();
        if (found < features_) {
            map_.ranking = without_gap(map_.ranking, found);
            if (map_.rating.rows() > 0) map_.rating = without_gap(map_.rating, found);
        }
        return std::move(map_);
    }

  private:
    const std::string& label_;
    const std::size_t features_;
    StoredMap map_;
    std::size_t ranking_factors_ = 0;
    std::size_t rating_factors_ = 0;
    bool has_intercept_ = false;
};

/// The map of all features, or of some.
std::optional<StoredMap> read_map(const MapScan& scan, const std::vector<std::string_view>* names,
                                  const std::string& label) {
    std::size_t rows = names != nullptr ? names->size() : 0;
    if (names == nullptr) scan.read(names, false, [&rows](const MapRow&) { ++rows; });
    if (rows == 0) return std::nullopt;
    MapBuilder builder(rows, label);
    scan.read(names, true, [&builder](const MapRow& row) { builder.add(row); });
    return std::move(builder).finish();
}

}  // namespace

std::size_t StoredMap::memory() const {
    return features.memory() + scales.size() * sizeof(FeatureScale) +
           (ranking.rows() * ranking.stride() + rating.rows() * rating.stride()) * sizeof(float);
}

void write_feature_map(const Catalog& catalog, Side side, std::int64_t model_id, const Ids& names, const Model& model) {
    const bool of_items = side == Side::Items;
    const FactorMatrix& ranking = of_items ? model.ranking.item_map : model.ranking.user_map;
    const FactorMatrix* rating = !model.rating ? nullptr : of_items ? &model.rating->item_map : &model.rating->user_map;
    const std::vector<FeatureScale>& scales = of_items ? model.item_features : model.user_features;
    const std::size_t features = names.size();
    if (ranking.rows() != features + 1 || (rating != nullptr && rating->rows() != features + 1) ||
        scales.size() != features)
        throw std::logic_error("a map of other features");
    const int ranking_count = ranking.factors();
    const int rating_count = rating != nullptr ? rating->factors() - 1 : 0;
    const auto row_of = [&](std::size_t f) {
        const bool is_intercept = f == features;
        RowToWrite row{};
        row.feature = is_intercept ? kIntercept : names.bytes(static_cast<std::uint32_t>(f));
        row.scale = is_intercept ? FeatureScale{} : scales[f];
        row.kind = is_intercept ? kKindOfIntercept : row.scale.is_number ? kKindOfNumber : kKindOfCategory;
        row.rating = rating != nullptr ? rating->row(f) : nullptr;
        row.ranking = ranking.row(f);
        return row;
    };
    TableWriter writer = open_table_writer(catalog.features[side]);
    std::vector<RowToWrite> rows(TableWriter::kBatch);
    for (std::size_t begin = 0; begin <= features; begin += rows.size()) {
        const std::size_t count = std::min(rows.size(), features + 1 - begin);
        for (std::size_t i = 0; i < count; ++i) rows[i] = row_of(begin + i);
        write_batch(writer, static_cast<int>(count), [=, rows = rows.data()](TupleTableSlot* slot, int i) {
            fill_slot_unsafe(model_id, rating_count, ranking_count, rows[i], slot);
        });
    }
    close_table_writer(writer);
    pg_call([] { CommandCounterIncrement(); });
}

std::optional<StoredMap> read_feature_map(const Catalog& catalog, Side side, std::int64_t model_id, const Ids* names,
                                          FactorShape shape, const std::string& label) {
    const MapScan scan(catalog, side, model_id, shape, label);
    if (names == nullptr) return read_map(scan, nullptr, label);
    std::vector<std::string_view> wanted{kIntercept};
    for (std::uint32_t f = 0; f < names->size(); ++f) wanted.push_back(names->bytes(f));
    std::sort(wanted.begin(), wanted.end());
    return read_map(scan, &wanted, label);
}

}  // namespace mf::pg
