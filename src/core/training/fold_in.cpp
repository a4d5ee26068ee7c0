#include "core/training/fold_in.hpp"

#include <algorithm>
#include <numeric>

#include "core/linalg/kernels.hpp"
#include "core/training/als.hpp"
#include "core/training/ials.hpp"

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

}  // namespace

AlsFoldIn::AlsFoldIn(FactorView items, std::span<const float> item_bias, const AlsParameters& parameters)
    : items_(items), item_bias_(item_bias), parameters_(parameters), workspace_(items.factors()) {}

void AlsFoldIn::solve(std::span<const HistoryEntry> history, float* factors, float* bias, Environment* environment) {
    split_history(history, columns_, values_);
    const AlsHalfStep step{items_, item_bias_, parameters_, 1.0, "user"};
    solve_als_row(step, columns_, values_, workspace_, factors, bias, environment);
}

IalsFoldIn::IalsFoldIn(FactorView items, const IalsParameters& parameters, Environment& environment)
    : IalsFoldIn(items, {}, GramMatrix(items, environment), parameters) {}

IalsFoldIn::IalsFoldIn(FactorView rows, std::span<const std::uint32_t> row_of, GramMatrix gram,
                       const IalsParameters& parameters)
    : items_(rows),
      row_of_(row_of),
      parameters_(parameters),
      gram_(std::move(gram)),
      workspace_(rows.factors()),
      solution_(rows.stride()) {}

void IalsFoldIn::solve(std::span<const HistoryEntry> history, float* factors, Environment* environment) {
    split_history(history, columns_, values_);
    for (std::uint32_t& column : columns_) column = static_cast<std::uint32_t>(row_of(column));
    weights_.resize(values_.size());
    interaction_weights(values_, parameters_, weights_.data());
    solve_ials_row(users_half_step(items_, gram_, parameters_), columns_, weights_, workspace_, factors, environment);
}

void IalsFoldIn::explain(std::span<const HistoryEntry> history, std::uint32_t item, float* contributions,
                         Environment* environment) {
    solve(history, solution_.data(), environment);  // leaves the factorized system
    if (!(std::accumulate(weights_.begin(), weights_.end(), 0.0) > 0)) {
        std::fill_n(contributions, history.size(), 0.0f);
        return;
    }
    std::copy_n(items_.row(row_of(item)), items_.stride(), solution_.data());
    workspace_.solve(solution_.data());
    constexpr std::size_t kEntriesPerCheck = 4096;
    for (std::size_t j = 0; j < history.size(); ++j) {
        if (environment != nullptr && j % kEntriesPerCheck == 0) check_interrupt(*environment);
        contributions[j] =
            weights_[j] * kernels().dot(solution_.data(), items_.row(columns_[j]), items_.stride() / kLanes);
    }
}

}  // namespace mf
