#include "core/fold_in.hpp"

#include "core/als.hpp"
#include "core/ials.hpp"

namespace mf {

namespace {

void split_history(std::span<const HistoryEntry> history, std::vector<std::uint32_t>& columns,
                   std::vector<float>& values) {
    columns.clear();
    values.clear();
    for (const HistoryEntry& entry : history) {
        columns.push_back(entry.item);
        values.push_back(entry.value);
    }
}

// The fold-in is called from one thread and its host watches for interrupts between calls.
GramMatrix gram_of(FactorView items) {
    Environment environment;
    return GramMatrix(items, environment);
}

}  // namespace

RatingFoldIn::RatingFoldIn(FactorView items, std::span<const float> item_bias,
                           const RatingParameters& parameters)
    : items_(items), item_bias_(item_bias), parameters_(parameters), workspace_(items.factors()) {}

void RatingFoldIn::solve(std::span<const HistoryEntry> history, float* factors, float* bias) {
    split_history(history, columns_, values_);
    const RatingHalfStep step{items_, item_bias_, parameters_, 1.0, "user"};
    solve_rating_row(step, columns_, values_, workspace_, factors, bias);
}

RankingFoldIn::RankingFoldIn(FactorView items, const RankingParameters& parameters)
    : RankingFoldIn(items, {}, gram_of(items), parameters) {}

RankingFoldIn::RankingFoldIn(FactorView rows, std::span<const std::uint32_t> row_of, GramMatrix gram,
                             const RankingParameters& parameters)
    : items_(rows),
      row_of_(row_of),
      parameters_(parameters),
      gram_(std::move(gram)),
      workspace_(rows.factors()) {}

void RankingFoldIn::solve(std::span<const HistoryEntry> history, float* factors) {
    split_history(history, columns_, values_);
    if (!row_of_.empty())
        for (std::uint32_t& column : columns_) column = row_of_[column];
    weights_.resize(values_.size());
    interaction_weights(values_, parameters_, weights_.data());
    solve_ranking_row(users_half_step(items_, gram_, parameters_), columns_, weights_, workspace_, factors);
}

}  // namespace mf
