// The linear map from the features of items to their factors. Factors are drawn to what is expected of an item with
// these features, and an item without interactions has that for its factors.
//
// Agarwal, Chen, "Regression-based Latent Factor Models", KDD 2009: item i has the prior mean Bᵀ g_i in place of zero.
// B is a ridge regression of the factors that the items have on their features,
//
//     minimise  Σ_i |y_i − Bᵀ g_i|² + ρ |B|²         over the items with interactions
//
// between two half-steps. It is solved for all factors at once by conjugate gradient with a diagonal preconditioner;
// neither a dense system of the features nor one of the items is built.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/linalg/factor_matrix.hpp"
#include "core/training/options.hpp"
#include "core/training/side_features.hpp"

namespace mf {

/// Steps of conjugate gradient between two half-steps, and for the map that is kept. With 2 steps lastfm-hetrec loses
/// 0.004 of NDCG@10; from 3 on nothing changes by more than 0.001.
inline constexpr int kMapSteps = 4;
inline constexpr int kLastMapSteps = 50;

/// Whether items are drawn to the map in an iteration, from 1 on: in the second half of them, since the first factors
/// are hardly worth a regression. On lastfm-hetrec and MovieLens small, NDCG@10 differs by less than 0.002 whether they
/// are from the second or from the sixth of eight on.
inline bool is_drawn_to_map(int iteration, int iterations) { return iteration > iterations / 2; }

/// B: row f has the coefficients of feature f. has_factors: the rows of `factors` that the map is fitted to; ridge: ρ,
/// above 0. At most `steps` steps of conjugate gradient from zeros; fewer where that is exact. The same bits for any
/// number of threads. O(steps · entries · k). Memory: three matrices of the size of the result, and one of the size of
/// the factors.
FactorMatrix fit_feature_map(const SideFeatures& features, FactorView factors, const std::vector<bool>& has_factors,
                             double ridge, int steps, Environment& environment);

/// Bᵀ g_r for each row of features. O(entries · k).
FactorMatrix expected_factors(const Csr& features, FactorView map, Environment& environment);

/// The same of one row, to the bit: features[j] is a column, with values[j]. out has map.stride() floats, 64-byte
/// aligned. Any thread may call it.
void expected_row(std::span<const std::uint32_t> features, std::span<const float> values, FactorView map, float* out);

/// Factors and biases apart.
struct SplitFactors {
    FactorMatrix factors;
    Array<float> bias;
};

/// Takes a matrix apart whose last column are biases.
SplitFactors split_bias(FactorView joined, Environment& environment);

/// The same of one row: the first `factors` floats to out, and the bias behind them. Any thread may call it.
inline float split_bias(const float* joined, int factors, float* out) {
    std::copy_n(joined, factors, out);
    return joined[factors];
}

/// Bytes that features and map take in a training run, beside the map that is kept: an estimate from above for `items`
/// that have features, none of them interactions. factors: the most of any kind.
double feature_bytes(std::uint64_t items, std::uint64_t features, std::uint64_t entries, int factors,
                     Feedback feedback);

}  // namespace mf
