// Rating factors: alternating least squares with jointly solved biases.
//
// Zhou, Wilkinson, Schreiber, Pan, "Large-Scale Parallel Collaborative Filtering for the Netflix Prize", AAIM 2008,
// with the ridge λ·n^p instead of λ·n, and each row's bias as one more unknown of its own system.
//
//     minimise  Σ_(u,i) (r_ui − mean − b_u − b_i − p_u·q_i)²
//               + Σ_u n_u^p (λ|p_u|² + λ_b b_u²) + Σ_i n_i^p (λσ²|q_i|² + λ_b b_i²)
//
// σ is the standard deviation of the ratings. With it in the items' ridge, item factors are of the order of 1
// and user factors of the order of σ whatever the unit of the ratings, and λ has no unit.
#pragma once

#include <functional>
#include <span>

#include "core/base/parallel.hpp"
#include "core/data/csr.hpp"
#include "core/training/half_step.hpp"
#include "core/training/model.hpp"
#include "core/training/options.hpp"

namespace mf {

/// Measures a model on held-out rows; smaller is better.
using RatingEvaluation = std::function<double(const RatingModel&)>;

/// Item factors and biases to begin with; the remarks at RankingStart hold here too. An unknown item has a bias of 0.
struct RatingStart {
    FactorMatrix items;
    Array<float> item_bias;
};

/// Trains rating factors; the remarks at train_ials hold here too. With `evaluate` the factors of the iteration with
/// the smallest value are returned, and training ends when it has not fallen for two iterations.
RatingModel train_als(const Csr& by_user, const Csr& by_item, const AlsOptions& options, Environment& environment,
                      const RatingEvaluation& evaluate = {}, RatingStart* start = nullptr);

/// The users' half-step alone: solves every user of by_user against the model's items. O(entries·k² + users·k³).
void solve_users(RatingModel& model, const Csr& by_user, Environment& environment);

/// One side's half-step: what all of its rows have in common.
struct AlsHalfStep {
    FactorView features;                  ///< the other side's factors
    std::span<const float> feature_bias;  ///< and biases
    const AlsParameters& parameters;
    double unit;           ///< of the features and of the targets: 1 for users, σ for items
    const char* row_name;  ///< "user" or "item", for messages
};

/// Solves one row: a pure function of its arguments (`workspace` is overwritten). columns may be longer than values;
/// the surplus is prefetched. factors has FactorMatrix::padded(k) floats. A row without entries gets zeros.
/// The bias b is eliminated: with the system A z₁ = Σ t_j y_j, A z₂ = s = Σ y_j it is
/// b = (Σ t_j − s·z₁) / (n + λ_b n^p − s·z₂), and then p = z₁ − b z₂.
/// Throws NumericalFailure if the system is singular to working precision. With an environment, which no worker may
/// give, a long row has checkpoints. O(n·k² + k³).
ObjectiveParts solve_als_row(const AlsHalfStep& step, std::span<const std::uint32_t> columns,
                             std::span<const float> values, NormalEquations& workspace, float* factors, float* bias,
                             Environment* environment = nullptr);

}  // namespace mf
