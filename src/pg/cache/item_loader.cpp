#include "pg/cache/item_loader.hpp"

#include <algorithm>

#include "pg/models/factor_rows.hpp"
#include "pg/sql/ids.hpp"
#include "pg/wall/environment.hpp"

namespace mf::pg {
namespace {

FactorMatrix reordered(FactorMatrix matrix, const std::vector<std::uint32_t>& rank) {
    FactorMatrix result(matrix.rows(), matrix.factors());
    for (std::size_t r = 0; r < matrix.rows(); ++r) std::copy_n(matrix.row(r), matrix.stride(), result.row(rank[r]));
    return result;
}

template <class T>
Array<T> reordered(const Array<T>& values, const std::vector<std::uint32_t>& rank) {
    Array<T> result(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) result[rank[i]] = values[i];
    return result;
}

/// Rows arrive in byte order of the ids, which for integers is not their order.
void sort_items(ItemParts& parts, Environment& environment) {
    const std::vector<std::uint32_t> rank = parts.ids.sort(environment);
    if (std::is_sorted(rank.begin(), rank.end())) return;
    parts.ranking = reordered(std::move(parts.ranking), rank);
    parts.interactions = reordered(parts.interactions, rank);
    parts.rating = reordered(std::move(parts.rating), rank);
    parts.rating_bias = reordered(parts.rating_bias, rank);
}

}  // namespace

ItemParts load_items(const Catalog& catalog, const std::string& model, const ModelVersion& version, int factors) {
    const IdKind kind = pg_call([type = version.item_type] { return id_kind_unsafe(type); });
    const std::string label = version_label(model, version.version);
    const auto count = static_cast<std::size_t>(version.items);
    ItemParts parts;
    parts.ids = IdTable(kind);
    parts.interactions = Array<std::uint32_t>(count, 0);
    parts.ranking = FactorMatrix(count, factors);
    if (!version.implicit) {
        parts.rating = FactorMatrix(count, factors);
        parts.rating_bias = Array<float>(count, 0.0f);
    }
    std::size_t row = 0;
    read_item_factors(catalog, version.model_id, {factors, !version.implicit}, [&](const FactorRow& item) {
        if (row == count)
            throw SqlError(ERRCODE_DATA_CORRUPTED, label + " has surplus item factors", "", "Train the model again.");
        const std::optional<Id> id = parse_id(item.id, kind);
        if (!id)
            throw SqlError(ERRCODE_DATA_CORRUPTED,
                           "item id \"" + std::string(item.id) + "\" of " + label + " is not of the model's item type",
                           "", "Train the model again.");
        if (kind == IdKind::Integer)
            parts.ids.intern(id->integer);
        else
            parts.ids.intern(std::string_view(id->bytes));
        std::ranges::copy(item.ranking_factors, parts.ranking.row(row));
        parts.interactions[row] = item.interactions;
        if (!version.implicit) {
            std::ranges::copy(item.rating_factors, parts.rating.row(row));
            parts.rating_bias[row] = item.rating_bias;
        }
        ++row;
    });
    if (row != count || parts.ids.size() != count)
        throw SqlError(ERRCODE_DATA_CORRUPTED, label + " lacks item factors",
                       std::to_string(row) + " of " + std::to_string(count) + " rows were found.",
                       "Train the model again.");
    Environment environment = quiet_environment();
    sort_items(parts, environment);
    return parts;
}

}  // namespace mf::pg
