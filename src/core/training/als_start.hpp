// First factors of the rating model: a randomized range finder instead of random numbers.
//
// Halko, Martinsson, Tropp, "Finding Structure with Randomness", SIAM Review 2011, algorithm 4.4.
//
// From small random factors, the first half-steps of alternating least squares behave like power iterations but cost
// O(k²) per entry instead of O(k): as long as the ridge outweighs the products of factors, a half-step is p_u ∝ n_u^−p
// Σ_i e_ui q_i, e being what the biases leave of the ratings. The start does such steps as what they are, on the matrix
//
//     E_ui = e_ui / (σ (n_u n_i)^c)
//
// with a constant c: without it users and items of many ratings, with a large one those of few would have most of the
// factors to themselves. Between the steps the item factors are orthonormalized, or all would turn to the first
// singular vector.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <span>

#include "core/base/parallel.hpp"
#include "core/data/csr.hpp"
#include "core/linalg/gram_matrix.hpp"
#include "core/training/als_half_step.hpp"
#include "core/training/model.hpp"
#include "core/training/residual_product.hpp"

namespace mf {

/// Sets the user factors and biases for the first half-step of the items. `model` has its scale, matrices and
/// biases of the shapes of the data, the biases 0; its items are scratch. The factors of the users are as long, by
/// their root mean square, as random ones of initial_scale() would be. Where the biases leave nothing of the ratings
/// they are such random ones, and the biases 0. deviation: σ of the ratings. The same bits for any number of threads.
/// O(entries · k + items · k²): less than an iteration of 64 factors takes.
void start_als(const Csr& by_user, const Csr& by_item, const AlsParameters& parameters, double deviation,
               std::uint64_t seed, Environment& environment, RatingModel& model);

// The steps of start_als(), each a pure function of a block of rows, for whoever keeps the rows elsewhere. Residuals
// have the unit σ; columns of a block are rows of the factors given.
//
//   1. start_biases() of all items, those of the users being 0, and then of all users
//   2. random_factors() of all items with a scale of 1, and start_balance()
//   3. start_users(); then kAlsStartPasses times: start_items(), a StartBasis of their Gram matrix, start_users()
//   4. the users times start_scale(); if that is 0, random_factors() for the users and biases of 0

/// Products with Eᵀ and E after the first one, with E. RMSE after four iterations against that of eight from random
/// factors, means over seeds, MovieLens small and anime ratings: with 64 factors, for 2 passes −0.0003 and −0.0007, for
/// 3 −0.0004 and −0.0011; with 16 factors, for 2 0.0000 and +0.0002, for 3 −0.0009 and −0.0008.
inline constexpr int kAlsStartPasses = 3;

/// Stream of Random for the first factors, apart from those of the ranking factors.
inline constexpr std::uint64_t kAlsStartStream = 0x52617465u;

/// The biases of one side as the objective has them without factors, given those of the other side.
void start_biases(CsrView rows, const AlsParameters& parameters, double mean, std::span<const float> column_bias,
                  std::span<float> bias);

/// Weighs items by their numbers of ratings, for the products with them.
void start_balance(CsrView by_item, MutableFactorView items);

/// Users from balanced items, and items from users, not yet balanced. product: of the values of the residuals.
void start_users(const ResidualProduct& product, const Residuals& users, FactorView items, Environment& environment,
                 FactorMatrix& out);
void start_items(const ResidualProduct& product, const Residuals& items, FactorView users, Environment& environment,
                 FactorMatrix& out);

/// Makes the columns of the item factors orthonormal by the Cholesky factor of their Gram matrix.
class StartBasis {
  public:
    /// O(k³).
    StartBasis(const GramMatrix& gram, int factors);

    /// Transforms rows of items, and balances them. O(rows · k²).
    void apply(CsrView by_item, MutableFactorView items) const;

  private:
    Eigen::MatrixXf lower_;  ///< the factor; empty if there is none
};

/// What the users are multiplied by to be as long as random factors are, given the sum of their squares; 0 if there is
/// no such number.
float start_scale(double squares, std::uint64_t users, int factors, double deviation);

}  // namespace mf
