// The result of a training: factors, biases and the few numbers that are needed to fold in a new history.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/array.hpp"
#include "core/linalg/factor_matrix.hpp"

namespace mf {

/// What rating factors need besides themselves; stored with the model, so that a fold-in repeats the last half-step.
struct AlsParameters {
    double mean = 0;     ///< of the training ratings
    double minimum = 0;  ///< predictions are clipped to the range seen in training
    double maximum = 0;
    double regularization = 0;  ///< ridge of a user with n ratings: regularization · n^exponent
    double exponent = 0;
    double bias_regularization = 0;  ///< ridge of the bias: bias_regularization · n^exponent

    template <class F>
    void each_field(F&& field) {
        field("mean", mean);
        field("minimum", minimum);
        field("maximum", maximum);
        field("regularization", regularization);
        field("regularization_exponent", exponent);
        field("bias_regularization", bias_regularization);
    }
};

/// Rating factors: a rating is mean + user bias + item bias + dot product.
struct RatingModel {
    AlsParameters parameters;
    FactorMatrix users;
    FactorMatrix items;
    Array<float> user_bias;
    Array<float> item_bias;
    int iterations = 0;  ///< after which these factors were reached
};

/// What ranking factors need besides themselves, likewise: the numbers of prepare_ials() (ials.hpp).
struct IalsParameters {
    double unobserved_weight = 0;  ///< weight of a (user, item) pair without interaction
    double regularization = 0;     ///< ridge of a user: regularization · (weight of its interactions)^exponent
    double exponent = 0;
    double weight_scale = 1;  ///< value → weight, see interaction_weights() in ials.hpp
    double weight_slope = 0;
    double weight_center = 0;     ///< mean of the training ratings; 0 for implicit feedback
    double weight_deviation = 0;  ///< their standard deviation; 0 for implicit feedback

    template <class F>
    void each_field(F&& field) {
        field("unobserved_weight", unobserved_weight);
        field("regularization", regularization);
        field("regularization_exponent", exponent);
        field("weight_scale", weight_scale);
        field("weight_slope", weight_slope);
        field("weight_center", weight_center);
        field("weight_deviation", weight_deviation);
    }
};

/// Ranking factors: a score is the dot product, nothing else.
struct RankingModel {
    IalsParameters parameters;
    FactorMatrix users;
    FactorMatrix items;
    int iterations = 0;  ///< after which these factors were reached
};

/// A whole model. Row r of every user array belongs to user r of the Dataset it was trained on, likewise items.
struct Model {
    std::optional<RatingModel> rating;  ///< explicit feedback only
    RankingModel ranking;
    Array<std::uint32_t> user_interactions;
    Array<std::uint32_t> item_interactions;
    Array<std::uint64_t> user_history;  ///< HistoryDigest of each user's whole history, held-out rows included
};

}  // namespace mf
