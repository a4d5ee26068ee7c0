#include <algorithm>
#include <numeric>

#include "core/base/half_floats.hpp"
#include "core/data/text_order.hpp"
#include "core/pipeline/train.hpp"
#include "pg/models/factor_rows.hpp"
#include "pg/models/table_writer.hpp"
#include "pg/sql/ids.hpp"
#include "pg/sql/own_tables.hpp"

namespace mf::pg {
namespace {

constexpr int kBatch = TableWriter::kBatch;

/// One row to write; all pointers outlive the batch.
struct RowToWrite {
    std::string_view id;
    std::uint32_t interactions;
    const float* rating_bias;  // null: implicit feedback, no rating factors
    const float* rating_factors;
    const float* ranking_factors;
    std::uint64_t last;                 // of items the rows of the source, of users the digest of the history
    const float* popularity = nullptr;  // of items, by age; null: the interactions
};

/// What the rows of a table have in common.
struct Target {
    std::int64_t model_id;
    int rating_count;
    int ranking_count;
    Storage storage;
};

/// 16-bit floats, as the bits of smallint.
Datum half_array_unsafe(const float* values, int count) {
    ArrayType* array = new_array_unsafe(INT2OID, sizeof(std::uint16_t), count);
    auto* halves = reinterpret_cast<std::uint16_t*>(ARR_DATA_PTR(array));
    for (int i = 0; i < count; ++i) halves[i] = to_half(values[i]);
    return PointerGetDatum(array);
}

void fill_slot_unsafe(const Target& target, TupleTableSlot* slot, const RowToWrite& row) {
    const auto set = [slot](int column, Datum value) {
        slot->tts_values[column] = value;
        slot->tts_isnull[column] = false;
    };
    set(0, Int64GetDatum(target.model_id));
    set(1, PointerGetDatum(cstring_to_text_with_len(row.id.data(), static_cast<int>(row.id.size()))));
    set(2, Int32GetDatum(static_cast<std::int32_t>(std::min<std::uint32_t>(row.interactions, INT32_MAX))));
    // Rating factors and ranking factors stand in columns 4 and 5, or as 16-bit floats in columns 6 and 7.
    const bool half = target.storage == Storage::Half;
    const int first = half ? 6 : 4;
    const auto array = half ? half_array_unsafe : float_array_unsafe;
    if (row.rating_bias != nullptr) {
        set(3, Float4GetDatum(*row.rating_bias));
        set(first, array(row.rating_factors, target.rating_count));
    }
    set(first + 1, array(row.ranking_factors, target.ranking_count));
    set(8, Int64GetDatum(static_cast<std::int64_t>(row.last)));
    if (row.popularity != nullptr) set(9, Float4GetDatum(*row.popularity));
}

/// text(i) and row(i) of the i in `order`, in that order; ids are set here.
template <class TextOf, class RowOf>
void write_table(Oid table, const Target& target, std::span<const std::uint32_t> order, const TextOf& text_of,
                 const RowOf& row_of) {
    TableWriter writer = open_table_writer(table);
    std::vector<std::string> texts(kBatch);
    std::vector<RowToWrite> rows(kBatch);
    for (std::size_t begin = 0; begin < order.size(); begin += kBatch) {
        const int count = static_cast<int>(std::min<std::size_t>(kBatch, order.size() - begin));
        for (int i = 0; i < count; ++i) {
            const std::uint32_t index = order[begin + static_cast<std::size_t>(i)];
            texts[i] = text_of(index);
            rows[i] = row_of(index);
            rows[i].id = texts[i];
        }
        write_batch(writer, count, [&target, rows = rows.data()](TupleTableSlot* slot, int i) {
            fill_slot_unsafe(target, slot, rows[i]);
        });
    }
    close_table_writer(writer);
}

}  // namespace

void write_factors(const Catalog& catalog, std::int64_t model_id, const Dataset& dataset, const Model& model,
                   Storage storage, bool store_users, Environment& environment) {
    const RatingModel* rating = model.rating ? &*model.rating : nullptr;
    Target target{};
    target.model_id = model_id;
    target.rating_count = rating != nullptr ? rating->items.factors() : 0;
    target.ranking_count = model.ranking.items.factors();
    target.storage = storage;
    const auto item_text = [&](std::uint32_t i) { return dataset.items.text(i); };
    write_table(catalog.item_factors, target, text_order(dataset.items, environment), item_text, [&](std::uint32_t i) {
        return RowToWrite{{},
                          model.item_interactions[i],
                          rating != nullptr ? &rating->item_bias[i] : nullptr,
                          rating != nullptr ? rating->items.row(i) : nullptr,
                          model.ranking.items.row(i),
                          model.item_interactions[i] + dataset.repeated[i],
                          dataset.popularity.empty() ? nullptr : &dataset.popularity[i]};
    });
    const auto user_text = [&](std::uint32_t u) { return dataset.users.text(u); };
    // A user with zeros is folded in, as one who is not known.
    const auto tells_nothing = [&](std::uint32_t u) {
        return rating == nullptr &&
               is_zero({model.ranking.users.row(u), static_cast<std::size_t>(target.ranking_count)});
    };
    const auto user_row = [&](std::uint32_t u) {
        return RowToWrite{{},
                          model.user_interactions[u],
                          rating != nullptr ? &rating->user_bias[u] : nullptr,
                          rating != nullptr ? rating->users.row(u) : nullptr,
                          model.ranking.users.row(u),
                          model.user_history[u]};
    };
    if (store_users) {
        std::vector<std::uint32_t> order = text_order(dataset.users, environment);
        std::erase_if(order, tells_nothing);
        write_table(catalog.user_factors, target, order, user_text, user_row);
    }
    pg_call([] { CommandCounterIncrement(); });
}

void round_for_storage(Storage storage, SolvedItems& items, Environment& environment) {
    if (storage != Storage::Half) return;
    round_to_halves(items.ranking, environment);
    round_to_halves(items.rating, environment);
}

void write_rows(const Catalog& catalog, Side side, std::int64_t model_id, const SolvedItems& items, Storage storage) {
    const bool has_rating = items.rating.rows() > 0;
    Target target{};
    target.model_id = model_id;
    target.rating_count = has_rating ? items.rating.factors() : 0;
    target.ranking_count = items.ranking.factors();
    target.storage = storage;
    const auto text = [&](std::uint32_t i) { return items.ids[i]; };
    const Oid table = side == Side::Items ? catalog.item_factors : catalog.user_factors;
    std::vector<std::uint32_t> order(items.ids.size());
    std::iota(order.begin(), order.end(), 0u);
    write_table(table, target, order, text, [&](std::uint32_t i) {
        return RowToWrite{{},
                          items.interactions[i],
                          has_rating ? &items.rating_bias[i] : nullptr,
                          has_rating ? items.rating.row(i) : nullptr,
                          items.ranking.row(i),
                          items.source_rows[i],
                          items.popularity.empty() ? nullptr : &items.popularity[i]};
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
