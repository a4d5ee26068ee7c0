// Ranking factors: iALS, weighted least squares on all (user, item) pairs.
//
// Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008, with the
// frequency-scaled regularization and the unobserved weight of Rendle, Krichene, Zhang, Koren, "Revisiting the
// Performance of iALS on Item Recommendation Benchmarks", 2021.
//
//     minimise  Σ_(u,i)∈S c_ui (1 − x_u·y_i)² + a₀ Σ_(all u,i) (x_u·y_i)² + Σ_u λ_u|x_u|² + Σ_i λ_i|y_i|²
//
// S are the pairs with an interaction and c_ui their weights (confidence beyond a₀). How these numbers follow from the
// options and the data is said at prepare_ials() and interaction_weights().
#pragma once

#include <cmath>
#include <functional>
#include <span>

#include "core/base/parallel.hpp"
#include "core/data/csr.hpp"
#include "core/linalg/conjugate_gradient.hpp"
#include "core/training/half_step.hpp"
#include "core/training/model.hpp"
#include "core/training/options.hpp"

namespace mf {

/// Measures a model on held-out rows; greater is better.
using RankingEvaluation = std::function<double(const RankingModel&)>;

/// Item factors to begin with, instead of random users: those of an earlier training on similar data. One finite row
/// per item of the data and as many factors as the options say; a row of zeros is an item the earlier training did not
/// know.
struct RankingStart {
    FactorMatrix items;
};

/// Trains ranking factors. by_item must be transpose(by_user). Items are solved first and users last in every
/// iteration. Whatever the solver, the users returned are the exact solution for the items returned.
/// With `evaluate` the items of the iteration with the greatest value are returned, and training ends when it has
/// not risen for two iterations. By conjugate gradient, the users that are measured are those of its steps; only those
/// of the last iteration are exact. The loss reported is that of the factors as they are.
/// With `start`, whose factors are moved out, the users are first solved for its items, which counts as no iteration,
/// and an unknown item gets its factors in the first items' half-step. Every other number follows from the data as
/// without. If all its rows are zero, the training starts at random.
/// The same bits for any number of threads. O(iterations · (entries·k² + (users + items)·k³)).
RankingModel train_ials(const Csr& by_user, const Csr& by_item, Feedback feedback, const IalsOptions& options,
                        Environment& environment, const RankingEvaluation& evaluate = {},
                        RankingStart* start = nullptr);

/// The users' half-step alone: solves every user of by_user against the model's items. O(entries·k² + users·k³).
void solve_users(RankingModel& model, const Csr& by_user, Environment& environment);

/// What a training needs to know beyond the parameters stored for the fold-in.
struct IalsTraining {
    IalsParameters parameters;
    Array<float> user_weights;   ///< interaction weights in the order of by_user's values
    Array<float> item_weights;   ///< and of by_item's
    double item_ridge = 0;       ///< ridge of an item: item_ridge · (weight of its interactions + unobserved)
    double mean_user_ridge = 0;  ///< mean of λ_u over the users that have interactions
    double mean_item_ridge = 0;  ///< and of λ_i
};

/// Everything that follows from the data and the options. With N interactions of U users and I items that have any,
/// and weights whose mean is 1:
///
///     a₀  = unobserved_weight·N / (U·I)
///     L   = min(0.5, regularization·(1/√(N/U) + 1/√(N/I)))
///     λ_u = L·N·W_u^p / Σ_v W_v^p                                  W_u, W_i: sums of a row's weights
///     λ_i = L·(W_i + a₀·U) / (1 + unobserved_weight)
///
/// so Σλ_u = Σλ_i = L·N. With a nearly constant ridge, iALS is a soft threshold on the singular values of the
/// interaction matrix at √(λ_u λ_i) = L·N/√(U·I), while its noise has singular values up to about √(N/U) + √(N/I):
/// the default threshold is half of that. L below 1 keeps the threshold below the largest singular value, which is at
/// least N/√(U·I), so the factors never collapse to zero. O(N).
IalsTraining prepare_ials(const Csr& by_user, const Csr& by_item, Feedback feedback, const IalsOptions& options,
                          Environment& environment);

/// Weights of one user's interactions, never negative, times weight_scale:
///   ratings           1 + weight_slope·(value − weight_center) / weight_deviation, within [0.1, 2]
///   implicit weights  ln(1 + weight_slope·value / mean of the user's values), so that neither the unit nor a
///                     user's level matters
/// and 1 for all if weight_slope is 0. values and weights have the same size.
void interaction_weights(std::span<const float> values, const IalsParameters& parameters, float* weights);

/// interaction_weights() of every user, in the order of by_user's values. O(entries).
Array<float> user_weights(const Csr& by_user, const IalsParameters& parameters, Environment& environment);

/// One side's half-step: what all of its rows have in common.
struct IalsHalfStep {
    FactorView features;     ///< the other side's factors
    const GramMatrix& gram;  ///< and their Gram matrix
    float unobserved_weight;
    double ridge_scale;  ///< a row's ridge is ridge_scale · (ridge_offset + weight of its interactions)^exponent
    double ridge_offset;
    double ridge_exponent;
    const char* row_name;  ///< "user" or "item", for messages

    double ridge_of(double weight_sum) const {
        return ridge_scale * std::pow(ridge_offset + weight_sum, ridge_exponent);
    }
};

/// The half-step of the users.
IalsHalfStep users_half_step(FactorView items, const GramMatrix& gram, const IalsParameters& parameters);

/// Solves one row: a pure function of its arguments (`workspace` is overwritten). columns may be longer than weights;
/// the surplus is prefetched. factors has FactorMatrix::padded(k) floats. A row without weight gets zeros.
/// Throws NumericalFailure if the system is singular to working precision. With an environment, which no worker may
/// give, a long row has checkpoints. O(n·k² + k³).
ObjectiveParts solve_ials_row(const IalsHalfStep& step, std::span<const std::uint32_t> columns,
                              std::span<const float> weights, NormalEquations& workspace, float* factors,
                              Environment* environment = nullptr);

/// Improves one row from the factors it has, likewise, by conjugate gradient. weights has at most
/// ConjugateGradient::longest_row() entries. The fit is NaN where single precision does not suffice. O(n·k + k²).
ObjectiveParts improve_ials_row(const IalsHalfStep& step, const SharedSystem& shared,
                                std::span<const std::uint32_t> columns, std::span<const float> weights,
                                ConjugateGradient& workspace, float* factors);

}  // namespace mf
