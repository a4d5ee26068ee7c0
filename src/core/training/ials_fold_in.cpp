#include "core/training/ials_fold_in.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/base/sums.hpp"
#include "core/linalg/kernels.hpp"

namespace mf {

IalsFoldIn::IalsFoldIn(RankingItems items, const IalsParameters& parameters)
    : items_(std::move(items)),
      parameters_(parameters),
      shared_(items_.gram, items_.rows, static_cast<float>(parameters.unobserved_weight)),
      workspace_(items_.rows.factors()),
      solution_(items_.rows.stride()) {}

void IalsFoldIn::solve(std::span<const HistoryEntry> history, float* factors, Environment* environment,
                       const float* center) {
    history_.assign(history);
    for (std::uint32_t& item : history_.items) item = static_cast<std::uint32_t>(items_.row(item));
    weights_.resize(history.size());
    interaction_weights(history_.values, parameters_, weights_.data());
    for (std::size_t j = 0; j < history.size(); ++j) weights_[j] *= history[j].weight;
    IalsHalfStep step = ials_users_step(items_.gram, parameters_);
    if (shared_.exists()) step.shared = &shared_;
    solve_ials_row(step, items_.rows, history_.items, weights_, workspace_, center, factors, environment);
}

void IalsFoldIn::explain(std::span<const HistoryEntry> history, std::uint32_t item, float* contributions,
                         Environment* environment) {
    solve(history, solution_.data(), environment);  // leaves the factorized system
    if (!(sum_of_positives(weights_) > 0)) {
        std::fill_n(contributions, history.size(), 0.0f);
        return;
    }
    std::copy_n(items_.rows.row(items_.row(item)), items_.rows.stride(), solution_.data());
    solve_last_system(workspace_, solution_.data());
    constexpr std::size_t kEntriesPerCheck = 4096;
    for (std::size_t j = 0; j < history.size(); ++j) {
        if (environment != nullptr && j % kEntriesPerCheck == 0) check_interrupt(*environment);
        // A dislike adds nothing to the right-hand side: it lowers what others contribute.
        contributions[j] =
            std::max(weights_[j], 0.0f) *
            kernels().dot(solution_.data(), items_.rows.row(history_.items[j]), items_.rows.stride() / kLanes);
    }
}

float IalsFoldIn::neutral_value() const {
    return parameters_.weight_deviation > 0 ? static_cast<float>(parameters_.weight_center) : 1.0f;
}

}  // namespace mf
