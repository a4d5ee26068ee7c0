// The result of a training run: factors, biases and the few numbers that are needed to fold in a new history.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/array.hpp"
#include "core/linalg/factor_matrix.hpp"
#include "core/training/named_numbers.hpp"
#include "core/training/side_features.hpp"

namespace mf {

/// What is known of the training ratings.
struct RatingScale {
    double mean = 0;
    double minimum = 0;  ///< predictions are clipped to the range
    double maximum = 0;
    double deviation = 1;  ///< standard deviation, the unit of the ratings where items are solved

    template <class F>
    void each_field(F&& field) {
        field("mean", mean, kAnyNumber);
        field("minimum", minimum, kAnyNumber);
        field("maximum", maximum, kAnyNumber);
        field("deviation", deviation, kPositive);
    }
};

/// Rating factors: a rating is mean + user bias + item bias + dot product.
struct RatingModel {
    RatingScale scale;
    NamedNumbers parameters;  ///< those of the trainer, so that a fold-in repeats the last half-step
    FactorMatrix users;
    FactorMatrix items;
    Array<float> user_bias;
    Array<float> item_bias;
    FactorMatrix item_map;  ///< from features to factors and, as one more, the bias; no rows without features
    FactorMatrix user_map;  ///< likewise; what the users' half-step draws them to
    int iterations = 0;     ///< after which these factors were reached
};

/// Ranking factors: a score is the dot product, nothing else.
struct RankingModel {
    NamedNumbers parameters;  ///< those of the trainer, so that a fold-in repeats the last half-step
    FactorMatrix users;
    FactorMatrix items;
    FactorMatrix item_map;  ///< from features (feature_map.hpp); no rows without features
    FactorMatrix user_map;  ///< likewise; what the users' half-step draws them to
    int iterations = 0;     ///< after which these factors were reached
};

/// A whole model. Row r of every user array belongs to user r of the Dataset it was trained on, likewise items.
struct Model {
    std::optional<RatingModel> rating;  ///< explicit feedback only
    RankingModel ranking;
    Array<std::uint32_t> user_interactions;
    Array<std::uint32_t> item_interactions;
    std::vector<FeatureScale> item_features;  ///< how features of items enter the maps; empty: there are none
    std::vector<FeatureScale> user_features;  ///< likewise
    Array<std::uint64_t> user_history;        ///< HistoryDigest of each user's whole history, held-out rows included
};

}  // namespace mf
