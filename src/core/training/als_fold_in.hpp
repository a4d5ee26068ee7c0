// The fold-in of the rating factors of als.hpp.
#pragma once

#include "core/linalg/normal_equations.hpp"
#include "core/training/als_half_step.hpp"
#include "core/training/fold_in.hpp"

namespace mf {

class AlsFoldIn final : public RatingFoldIn {
  public:
    AlsFoldIn(const RatingItems& items, double mean, const AlsParameters& parameters)
        : items_{items.rows, items.bias}, step_(als_users_step(parameters, mean)), workspace_(items.rows.factors()) {}

    void solve(std::span<const HistoryEntry> history, float* factors, float* bias, Environment* environment = nullptr,
               const BiasedCenter& center = {}) override {
        history_.assign(history);
        solve_als_row(step_, items_, history_.items, history_.values, workspace_, center, factors, bias, environment);
    }

  private:
    BiasedFactors items_;
    AlsHalfStep step_;
    NormalEquations workspace_;
    SplitHistory history_;
};

}  // namespace mf
