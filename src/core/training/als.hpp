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

#include "core/base/parallel.hpp"
#include "core/data/csr.hpp"
#include "core/training/als_half_step.hpp"
#include "core/training/trainers.hpp"

namespace mf {

/// Trains rating factors, by options.als; the remarks at RatingTrainer hold here. With `evaluate` the factors of the
/// iteration with the smallest value are returned, and training ends when it has not fallen for two iterations.
RatingModel train_als(const TrainingData& data, const TrainOptions& options, Environment& environment,
                      const RatingEvaluation& evaluate = {}, RatingStart* start = nullptr);

/// The users' half-step alone, as RatingTrainer has it. O(entries·k² + users·k³).
void solve_users(RatingModel& model, const Csr& by_user, const Csr* user_features, Environment& environment);

/// The items' half-step alone, for some items, by the users' factors as they are. O(entries·k² + items·k³) for the
/// entries of these items.
RatingItemRows solve_items(const ItemsToSolve& items, const RatingUsers& users, const RatingScale& scale,
                           const AlsParameters& parameters, Environment& environment);

}  // namespace mf
