// A whole training run: find what was not given, hold out, transpose, train, measure, solve the users once more on
// everything.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/data/features.hpp"
#include "core/data/interactions.hpp"
#include "core/data/split.hpp"
#include "core/pipeline/find_options.hpp"
#include "core/training/model.hpp"
#include "core/training/options.hpp"
#include "core/training/trainers.hpp"

namespace mf {

/// Length of the lists that are measured on held-out rows.
inline constexpr std::size_t kMeasuredPositions = 10;

/// What the iterations of one kind of factors reached, in their order.
struct TrainingCurve {
    std::vector<double> loss;         ///< training objective per interaction
    std::vector<double> test_metric;  ///< RMSE of rating factors, NDCG@10 of ranking factors for a sample of the users;
                                      ///< empty without held-out rows
};

struct TrainSummary {
    std::uint64_t users = 0;
    std::uint64_t items = 0;
    std::uint64_t ratings = 0;  ///< after duplicates were merged
    std::uint64_t test_ratings = 0;
    int iterations = 0;  ///< of the rating factors (explicit) or the ranking factors (implicit)
    int ranking_iterations = 0;
    double train_rmse = 0;  ///< NaN for implicit feedback
    double test_rmse = 0;   ///< NaN without held-out rows or for implicit feedback
    double test_ndcg = 0;   ///< NDCG@10 over all unseen items; NaN without held-out rows
    // Of the same rows and lists; NaN where there are none.
    double test_coverage = 0;         ///< share of all items that is in the list of a user with held-out rows
    double test_bias_rmse = 0;        ///< of the mean and the biases of users and items
    double test_popularity_ndcg = 0;  ///< of lists of the items with most interactions
    TrainingCurve rating_curve;       ///< empty for implicit feedback
    TrainingCurve ranking_curve;
};

struct TrainResult {
    Model model;
    TrainSummary summary;
    FoundOptions found;  ///< with the options of the training run
    Recency recency;     ///< by which interactions were weighed
};

/// Item factors to begin with instead of random ones, a row for each item of the dataset; rows of zeros are items that
/// they do not know. `rating` for explicit feedback only.
struct WarmStart {
    std::optional<RatingStart> rating;
    RankingStart ranking;
};

/// Trains what the options ask for, after find_options() if they ask for that. With test_fraction > 0 the metrics come
/// from factors that never saw the held-out rows; the users stored in the result are then solved once more from their
/// whole history against the trained items, so that stored factors always equal the fold-in of that history. Throws
/// NumericalFailure rather than return a factor that is not finite. A start has the options' numbers of factors; where
/// it knows the items of most interactions, a third of the iterations reaches the loss of a training run without one.
/// It is used up. With features of items or of users, a row for each of the dataset, the model has the map from them;
/// items without interactions have the factors that are expected of their features.
TrainResult train(const Dataset& dataset, const TrainOptions& options, Environment& environment,
                  WarmStart* start = nullptr, const KnownFeatures& features = {});

/// The same on cells that are split already, without the counts and digests of Model, which need ids. `held_out` may be
/// null: nothing is measured then.
Model train_factors(const Csr& by_user, const HoldOut* held_out, const TrainOptions& options, Environment& environment,
                    WarmStart* start, const KnownFeatures& features, TrainSummary& summary);

/// Throws NumericalFailure unless all of the numbers are finite; `what` names them.
void require_finite(std::span<const float> values, const char* what, Environment& environment);
void require_finite(const FactorMatrix& factors, const char* what, Environment& environment);

/// Rounds factors to the 16-bit floats that store them. Throws NumericalFailure if one is too large for that.
void round_to_halves(FactorMatrix& matrix, Environment& environment);

/// Upper estimate of the bytes that reading and training take at their peak, for the budget; id_bytes are those of the
/// id tables. Formula in the source and in docs/operations.md.
std::size_t training_memory(std::uint64_t users, std::uint64_t items, std::uint64_t ratings, std::size_t id_bytes,
                            const TrainOptions& options, int threads);

}  // namespace mf
