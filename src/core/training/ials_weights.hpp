// The numbers of iALS that follow from the data: weights of interactions, unobserved weight, ridges.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/array.hpp"
#include "core/base/parallel.hpp"
#include "core/data/csr.hpp"
#include "core/data/value_statistics.hpp"
#include "core/training/named_numbers.hpp"
#include "core/training/options.hpp"

namespace mf {

/// What ranking factors need besides themselves; stored with the model, so that half-steps can be repeated. Plain
/// numbers.
struct IalsParameters {
    double unobserved_weight = 0;  ///< weight of a (user, item) pair without interaction
    double regularization = 0;     ///< ridge of a user: regularization · (weight of its interactions)^exponent
    double exponent = 0;
    double item_regularization = 0;  ///< ridge of an item: item_regularization · (weight of its interactions +
                                     ///< unobserved_weight · number of users)
    double weight_scale = 1;         ///< value → weight, see interaction_weights()
    double weight_slope = 0;
    double weight_center = 0;     ///< mean of the training ratings; 0 for implicit feedback
    double weight_deviation = 0;  ///< their standard deviation; 0 for implicit feedback
    double dislikes = 0;          ///< 1: negative implicit values are dislikes

    template <class F>
    void each_field(F&& field) {
        field("unobserved_weight", unobserved_weight, kWeight);
        field("regularization", regularization, kWeight);
        field("regularization_exponent", exponent, kWeight);
        field("item_regularization", item_regularization, kWeight);
        field("weight_scale", weight_scale, kAnyNumber);
        field("weight_slope", weight_slope, kAnyNumber);
        field("weight_center", weight_center, kAnyNumber);
        field("weight_deviation", weight_deviation, kAnyNumber);
        field("dislikes", dislikes, NumberRange{0, 1});
    }
};

/// Weights of one user's interactions times weight_scale. Negative are only those of dislikes: preferences of 0 with
/// the confidence of their magnitude, where others are preferences of 1.
///   ratings           1 + weight_slope·(value − weight_center) / weight_deviation, within [0.1, 2]
///   implicit weights  ln(1 + weight_slope·|value| / mean of the user's |values|), so that neither the unit nor a
///                     user's level matters; with the sign of the value if there are dislikes
/// and ±1 for all if weight_slope is 0. values and weights have the same size.
void interaction_weights(std::span<const float> values, const IalsParameters& parameters, float* weights);

/// interaction_weights() of every user, in the order of by_user's values, times the weights of its entries. O(entries).
Array<float> user_weights(const Csr& by_user, const IalsParameters& parameters, Environment& environment);

/// What the numbers of a training run follow from. Those of blocks of users and of blocks of items are added up; an
/// interaction counts where its user is. Plain numbers.
struct IalsStatistics {
    std::uint64_t interactions = 0;
    std::uint64_t users = 0;  ///< that have interactions
    std::uint64_t items = 0;  ///< likewise
    double weight = 0;        ///< of all interactions, before they are scaled
    double user_powers = 0;   ///< Σ over users of (weight of the user's interactions, likewise)^exponent

    IalsStatistics& operator+=(const IalsStatistics& other);
};

/// The parameters by which interactions are weighed, with a scale of 1. `values` are the statistics of all ratings;
/// implicit weights need none.
IalsParameters ials_weighting(const TrainOptions& options, const ValueStatistics& values);

/// Statistics of a block of users, whose values are interaction_weights() with a scale of 1. exponent: that of the
/// users' ridge. O(entries).
IalsStatistics statistics_of_users(CsrView by_user, double exponent);
/// Statistics of a block of items. O(rows).
IalsStatistics statistics_of_items(CsrView by_item);

/// Everything that follows from the data and the options: a pure function of the statistics of all users and items and
/// of ials_weighting(). With N interactions of U users and I items that have any, and weights whose mean is 1:
///
///     a₀  = unobserved_weight·N / (U·I)
///     L   = min(0.5, regularization·(1/√(N/U) + 1/√(N/I)))
///     λ_u = L·N·W_u^p / Σ_v W_v^p                                  W_u, W_i: sums of a row's weights
///     λ_i = L·(W_i + a₀·U) / (1 + unobserved_weight)
///
/// so Σλ_u = Σλ_i = L·N. With a nearly constant ridge, iALS is a soft threshold on the singular values of the
/// interaction matrix at √(λ_u λ_i) = L·N/√(U·I), while its noise has singular values up to about √(N/U) + √(N/I):
/// the default threshold is half of that. L below 1 keeps the threshold below the largest singular value, which is at
/// least N/√(U·I), so the factors never collapse to zero.
IalsParameters derive_ials(const IalsStatistics& statistics, const IalsParameters& weighting,
                           const IalsOptions& options);

/// The same for a whole matrix at hand, and its weights.
struct IalsData {
    IalsParameters parameters;
    Array<float> user_weights;  ///< interaction weights in the order of by_user's values
    Array<float> item_weights;  ///< and of by_item's
};

/// On all threads; the same bits for any number of them. O(N).
IalsData prepare_ials(const Csr& by_user, const Csr& by_item, const TrainOptions& options, Environment& environment);

}  // namespace mf
