// First factors of the rating model: a randomized range finder instead of random numbers.
//
// Halko, Martinsson, Tropp, "Finding Structure with Randomness", SIAM Review 2011, algorithm 4.4.
//
// From small factors alternating least squares is a power iteration at the price of k multiplications where one would
// do: as long as the ridge outweighs the products of factors, a half-step is p_u ∝ n_u^−p Σ_i e_ui q_i, e being what
// the biases leave of the ratings. The start does such steps as what they are, on the matrix
//
//     E_ui = e_ui / (σ (n_u n_i)^c)
//
// with a constant c: without it users and items of many ratings, with a large one those of few would have most of the
// factors to themselves. Between the steps the item factors are orthonormalized, or all would turn to the first
// singular vector.
#pragma once

#include <cstdint>

#include "core/base/parallel.hpp"
#include "core/data/csr.hpp"
#include "core/training/model.hpp"

namespace mf {

/// Sets the user factors and biases for the first half-step of the items. `model` has its parameters, matrices and
/// biases of the shapes of the data, the biases 0; its items are scratch. The factors of the users are as long, by
/// their root mean square, as random ones of initial_scale() would be. Where the biases leave nothing of the ratings
/// they are such random ones, and the biases 0. deviation: σ of the ratings. The same bits for any number of threads.
/// O(entries · k + items · k²): less than an iteration of 64 factors takes.
void start_als(const Csr& by_user, const Csr& by_item, double deviation, std::uint64_t seed, Environment& environment,
               RatingModel& model);

}  // namespace mf
