#include "core/pipeline/items_for_users.hpp"

#include <algorithm>

namespace mf {

namespace {

/// The Gram matrix of all items of the model, with the solved ones in the place of what they replace.
GramMatrix gram_with(const ModelItems& model, std::span<const std::uint32_t> model_items, const ItemRows& solved,
                     Environment& environment) {
    const int factors = solved.ranking.factors();
    const auto k = static_cast<std::size_t>(factors);
    FactorMatrix replaced(solved.columns.size(), factors, environment);
    for (std::size_t r = 0; r < solved.columns.size(); ++r) {
        const std::uint32_t item = model_items[solved.columns[r]];
        if (item != ItemsForUsers::kUnknown && model.interactions[item] > 0)
            std::copy_n(model.ranking.rows.row(model.ranking.row(item)), replaced.stride(), replaced.row(r));
    }
    constexpr std::size_t kRows = 1024;
    GramSums less(factors), more(factors);
    for (std::size_t begin = 0; begin < replaced.rows(); begin += kRows) {
        check_interrupt(environment);
        const std::size_t end = std::min(replaced.rows(), begin + kRows);
        less.add(FactorView(replaced).slice(begin, end));
        more.add(solved.ranking.slice(begin, end));
    }
    std::vector<double> sums(GramSums::size(factors));
    std::size_t n = 0;
    for (std::size_t i = 0; i < k; ++i)
        for (std::size_t j = i; j < k; ++j, ++n)
            sums[n] = static_cast<double>(model.ranking.gram.at(i, j)) + (more.values()[n] - less.values()[n]);
    return GramMatrix(GramSums(factors, sums));
}

/// The Gram matrix in another basis: Vᵀ G V.
GramMatrix rotated(const GramMatrix& gram, const Eigenbasis& basis, int factors, Environment& environment) {
    const auto k = static_cast<std::size_t>(factors);
    FactorMatrix rows(k, factors), columns(k, factors);
    for (std::size_t i = 0; i < k; ++i)
        for (std::size_t j = 0; j < k; ++j) rows.row(i)[j] = gram.at(i, j);
    basis.rotate(rows, environment);
    for (std::size_t i = 0; i < k; ++i)
        for (std::size_t j = 0; j < k; ++j) columns.row(i)[j] = rows.row(j)[i];
    basis.rotate(columns, environment);
    std::vector<double> sums;
    for (std::size_t i = 0; i < k; ++i)
        for (std::size_t j = i; j < k; ++j) sums.push_back(static_cast<double>(columns.row(i)[j]));
    return GramMatrix(GramSums(factors, sums));
}

}  // namespace

ItemsForUsers::ItemsForUsers(const ModelItems& model, std::span<const std::uint32_t> model_items,
                             const ItemRows& solved, Environment& environment)
    : ItemsForUsers(model, model_items, solved, gram_with(model, model_items, solved, environment), environment) {}

ItemsForUsers::ItemsForUsers(const ModelItems& model, std::span<const std::uint32_t> model_items,
                             const ItemRows& solved, const GramMatrix& gram, Environment& environment)
    : ItemsForUsers(model, model_items, solved, gram, Eigenbasis(gram, solved.ranking.factors(), environment),
                    environment) {}

ItemsForUsers::ItemsForUsers(const ModelItems& model, std::span<const std::uint32_t> model_items,
                             const ItemRows& solved, const GramMatrix& gram, const Eigenbasis& basis,
                             Environment& environment)
    : indices_(model_items.size(), kUnknown),
      ranking_(model_items.size(), solved.ranking.factors(), environment),
      gram_(rotated(gram, basis, solved.ranking.factors(), environment)),
      back_(basis.inverse()) {
    if (solved.rating.rows.rows() > 0) {
        rating_ = FactorMatrix(model_items.size(), solved.rating.rows.factors(), environment);
        rating_bias_ = Array<float>(model_items.size(), 0.0f);
    }
    const auto put = [this](std::uint32_t column, const float* ranking, const RatingItems& rating, std::size_t row) {
        indices_[column] = column;
        std::copy_n(ranking, ranking_.stride(), ranking_.row(column));
        if (rating_.rows() == 0) return;
        std::copy_n(rating.rows.row(row), rating_.stride(), rating_.row(column));
        rating_bias_[column] = rating.bias[row];
    };
    for (std::uint32_t column = 0; column < model_items.size(); ++column)
        if (const std::uint32_t item = model_items[column]; item != kUnknown)
            put(column, model.ranking.rows.row(model.ranking.row(item)), model.rating, item);
    for (std::size_t r = 0; r < solved.columns.size(); ++r)
        put(solved.columns[r], solved.ranking.row(r), solved.rating, r);
    basis.rotate(ranking_, environment);
}

std::size_t ItemsForUsers::bytes(std::size_t columns, int ranking_factors, int rating_factors) {
    const auto row = [](int factors) { return 4 * FactorMatrix::padded(factors); };
    // Systems in double precision while the eigenbasis is sought.
    constexpr std::size_t kSystems = 80;
    return columns * (row(ranking_factors) + row(rating_factors) + 8) +
           kSystems * FactorMatrix::padded(ranking_factors) * FactorMatrix::padded(ranking_factors);
}

}  // namespace mf
