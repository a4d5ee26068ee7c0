// Ranking factors: iALS, weighted least squares on all (user, item) pairs.
//
// Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008, with the
// frequency-scaled regularization and the unobserved weight of Rendle, Krichene, Zhang, Koren, "Revisiting the
// Performance of iALS on Item Recommendation Benchmarks", 2021.
//
//     minimise  Σ_(u,i)∈S c_ui (1 − x_u·y_i)² + a₀ Σ_(all u,i) (x_u·y_i)² + Σ_u λ_u|x_u|² + Σ_i λ_i|y_i|²
//
// Each half-step first rotates both sides into the eigenbasis of the features (eigenbasis.hpp), where the second and
// the third term share a diagonal. A row then takes a few steps of conjugate gradient (conjugate_gradient.hpp), or
// exactly the system of its entries if it has fewer than factors (dual_equations.hpp). The items returned are in the
// eigenbasis of their Gram matrix, the factors of largest variance first.
//
// S are the pairs with an interaction and c_ui their weights (confidence beyond a₀). How these numbers follow from the
// options and the data is said at derive_ials() and interaction_weights().
#pragma once

#include "core/base/parallel.hpp"
#include "core/data/csr.hpp"
#include "core/training/ials_weights.hpp"
#include "core/training/trainers.hpp"

namespace mf {

/// Stream of Random for the first user factors, apart from those of the rating factors.
inline constexpr std::uint64_t kIalsStartStream = 0x52616e6bu;

/// Trains ranking factors, by options.ials. Items are solved first and users last
/// in every iteration. Whatever the solver, the users returned are the exact solution for the items returned. With
/// `evaluate` the items of the iteration with the greatest value are returned, and training ends when it has not risen
/// for two iterations. By conjugate gradient, the users that are measured are those of its steps; only those of the
/// last iteration are exact. The loss reported is that of the factors as they are. With `start`, whose factors are
/// moved out, the users are first solved for its items, which counts as no iteration, and an unknown item gets its
/// factors in the first items' half-step. With features, items are drawn to the map (feature_map.hpp), and the model
/// has the one that fits its items; items without interactions get zeros as without. Every other number follows from
/// the data as without. If all its rows are zero, the run starts from random users. The same bits for any number of
/// threads. By conjugate gradient O(iterations · (entries·k + (users + items)·k² + k³)) and the last users' half-step;
/// exactly, as solve_block().
RankingModel train_ials(const TrainingData& data, const TrainOptions& options, Environment& environment,
                        const RankingEvaluation& evaluate = {}, RankingStart* start = nullptr);

/// The users' half-step alone: solves every user of by_user exactly against the model's items, which are rotated into
/// their eigenbasis unless they are in it, and the maps with them. Otherwise as RankingTrainer has it.
void solve_users(RankingModel& model, const Csr& by_user, const Csr* user_features, Environment& environment);

/// The items' half-step alone, exactly, for some items, by the users' factors as they are and in their basis.
/// O(entries·k² + items·k³) for the entries of these items.
FactorMatrix solve_items(const ItemsToSolve& items, const RankingUsers& users, const IalsParameters& parameters,
                         Environment& environment);

}  // namespace mf
