#include "pg/serving_model.hpp"

#include <algorithm>
#include <numeric>

#include "pg/environment.hpp"
#include "pg/factor_rows.hpp"
#include "pg/parameters.hpp"

namespace mf::pg {
namespace {

IdKind id_kind(Oid type) {
    return pg_call([type] { return id_kind_unsafe(type); });
}

void copy_row(std::span<const float> from, FactorMatrix& to, std::size_t row) {
    if (from.size() != static_cast<std::size_t>(to.factors()))
        throw SqlError(ERRCODE_DATA_CORRUPTED, "factor rows of one model differ in length");
    std::copy(from.begin(), from.end(), to.row(row));
}

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
void sort_items(ServingModel& model) {
    const std::vector<std::uint32_t> rank = model.items.sort();
    if (std::is_sorted(rank.begin(), rank.end())) return;
    model.ranking_items = reordered(std::move(model.ranking_items), rank);
    model.interactions = reordered(model.interactions, rank);
    if (model.rating) {
        model.rating->factors = reordered(std::move(model.rating->factors), rank);
        model.rating->bias = reordered(model.rating->bias, rank);
    }
}

void load_items(const Catalog& catalog, const ModelVersion& version, const StoredParameters& parameters,
                ServingModel& model) {
    const auto count = static_cast<std::size_t>(version.items);
    model.ranking_items = FactorMatrix(count, parameters.factors);
    model.interactions = Array<std::uint32_t>(count, 0);
    if (!version.implicit) {
        model.rating.emplace();
        model.rating->parameters = parameters.rating;
        model.rating->factors = FactorMatrix(count, parameters.factors);
        model.rating->bias = Array<float>(count, 0.0f);
    }
    std::size_t row = 0;
    read_item_factors(catalog, version.model_id, [&](const FactorRow& item) {
        if (row == count) throw SqlError(ERRCODE_DATA_CORRUPTED, "model \"" + model.name + "\" has surplus item factors");
        Id id;
        const IdView view{false, IdKind::Text, 0, item.id.data(), static_cast<int>(item.id.size())};
        const std::optional<Id> parsed = convert_id(view, model.item_kind);
        if (!parsed)
            throw SqlError(ERRCODE_DATA_CORRUPTED, "item id \"" + std::string(item.id) + "\" of model \"" + model.name +
                                                       "\" is not of the model's item type");
        if (parsed->kind == IdKind::Integer)
            model.items.intern(parsed->integer);
        else
            model.items.intern(std::string_view(parsed->bytes));
        copy_row(item.ranking_factors, model.ranking_items, row);
        model.interactions[row] = item.interactions;
        if (model.rating) {
            copy_row(item.rating_factors, model.rating->factors, row);
            model.rating->bias[row] = item.rating_bias;
        }
        ++row;
    });
    if (row != count || model.items.size() != count)
        throw SqlError(ERRCODE_DATA_CORRUPTED, "model \"" + model.name + "\" lacks item factors",
                       std::to_string(row) + " of " + std::to_string(count) + " rows were found.",
                       "Train the model again.");
    sort_items(model);
}

std::vector<std::uint32_t> popularity_order(const Array<std::uint32_t>& interactions) {
    std::vector<std::uint32_t> order(interactions.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return interactions[a] > interactions[b]; });
    return order;
}

}  // namespace

std::unique_ptr<ServingModel> load_serving_model(const Catalog& catalog, const std::string& name,
                                                 const ModelVersion& version) {
    const StoredParameters parameters = read_parameters(version.parameters);
    auto model = std::make_unique<ServingModel>();
    model->name = name;
    model->version = version;
    model->version.parameters = nullptr;  // belongs to the call
    model->user_kind = id_kind(version.user_type);
    model->item_kind = id_kind(version.item_type);
    model->feedback = version.implicit ? Feedback::Implicit : Feedback::Explicit;
    model->duplicates = parameters.duplicates;
    model->ranking_parameters = parameters.ranking;
    model->items = IdTable(model->item_kind);
    load_items(catalog, version, parameters, *model);
    Environment environment = quiet_environment();
    model->index = std::make_unique<OwnedItemIndex>(model->ranking_items, environment);
    model->by_popularity = popularity_order(model->interactions);
    model->ranking_fold_in = std::make_unique<RankingFoldIn>(model->ranking_items, model->ranking_parameters);
    if (model->rating)
        model->rating_fold_in =
            std::make_unique<RatingFoldIn>(model->rating->factors, model->rating->bias, model->rating->parameters);
    model->bytes = 2 * model->items.memory() + model->ranking_items.rows() * (model->ranking_items.stride() + 2) * 4 * 2 +
                   ItemIndex::bytes(model->ranking_items.rows(), model->ranking_items.factors());
    return model;
}

}  // namespace mf::pg
