// What a trainer is to the rest of the system, and the table of all of them.
//
// A new trainer is one file that defines a RatingTrainer or a RankingTrainer, a name in Algorithm, its options in
// TrainOptions, and a line in the table.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/data/csr.hpp"
#include "core/training/fold_in.hpp"
#include "core/training/item_step.hpp"
#include "core/training/model.hpp"
#include "core/training/named_options.hpp"
#include "core/training/options.hpp"
#include "core/training/side_features.hpp"

namespace mf {

/// Measures a model on held-out rows; smaller is better.
using RatingEvaluation = std::function<double(const RatingModel&)>;
/// Measures a model on held-out rows; greater is better.
using RankingEvaluation = std::function<double(const RankingModel&)>;

/// Item factors to begin with, instead of random users: those of an earlier training run on similar data. One finite
/// row per item of the data and as many factors as the options say; a row of zeros is an item the earlier run did not
/// know.
struct RankingStart {
    FactorMatrix items;
};

/// Item factors and biases to begin with, likewise. An unknown item has a bias of 0.
struct RatingStart {
    FactorMatrix items;
    Array<float> item_bias;
};

/// What factors are trained on.
struct TrainingData {
    const Csr& by_user;
    const Csr& by_item;                           ///< transpose(by_user)
    const SideFeatures* item_features = nullptr;  ///< a row for each item; null: nothing is known of them
    const SideFeatures* user_features = nullptr;  ///< a row for each user, likewise
};

/// What is known of any trainer.
struct Trainer {
    Algorithm algorithm;
    const char* name;  ///< as SQL calls it, and the key of its parameters in stored models
    std::span<const NumericOption> options;
    std::span<const WordOption> words;
    /// The option that says how many iterations to train at most.
    int& (*iterations)(TrainOptions&);
    /// Names and ranges of the parameters that its models hold.
    std::vector<NamedRange> (*parameters)();
    /// Bytes that it takes beside the two matrices and the factors of both sides, of which the larger has `rows` rows.
    double (*working_bytes)(const TrainOptions&, std::uint64_t rows, std::uint64_t ratings, int threads);
};

/// Trains factors that predict ratings. by_item must be transpose(by_user). Users are solved last and are the exact
/// solution for the items returned. With `evaluate` the items of the iteration with the best value are returned, and
/// training ends when it has not become better for two iterations. With `start`, whose factors are moved out, the users
/// are first solved for its items, which counts as no iteration; if all its rows are zero, training starts as without.
/// Calls on_iteration of the environment. The same bits for any number of threads.
struct RatingTrainer : Trainer {
    RatingModel (*train)(const TrainingData&, const TrainOptions&, Environment&, const RatingEvaluation& evaluate,
                         RatingStart* start);
    /// Solves every user of by_user against the model's items. Where the model has a map from features of users, it
    /// draws them to what is expected of the rows of user_features, which may be null otherwise.
    void (*solve_users)(RatingModel&, const Csr& by_user, const Csr* user_features, Environment&);
    /// parameters: those of a model.
    std::unique_ptr<RatingFoldIn> (*fold_in)(const RatingItems&, const RatingScale&, const NamedNumbers& parameters);
    /// Solves some items against users, both as the model has them. Throws NumericalFailure.
    RatingItemRows (*solve_items)(const ItemsToSolve&, const RatingUsers&, const RatingScale&,
                                  const NamedNumbers& parameters, Environment&);
};

/// Trains factors that order items, likewise.
struct RankingTrainer : Trainer {
    RankingModel (*train)(const TrainingData&, const TrainOptions&, Environment&, const RankingEvaluation& evaluate,
                          RankingStart* start);
    void (*solve_users)(RankingModel&, const Csr& by_user, const Csr* user_features, Environment&);
    std::unique_ptr<RankingFoldIn> (*fold_in)(RankingItems, const NamedNumbers& parameters);
    FactorMatrix (*solve_items)(const ItemsToSolve&, const RankingUsers&, const NamedNumbers& parameters, Environment&);
};

extern const RatingTrainer kAlsTrainer;
extern const RankingTrainer kIalsTrainer;

/// The tables; the first of each is the default.
inline constexpr const RatingTrainer* kRatingTrainers[] = {&kAlsTrainer};
inline constexpr const RankingTrainer* kRankingTrainers[] = {&kIalsTrainer};

/// The trainer of the rating factors: null for implicit feedback, which has none.
const RatingTrainer* rating_trainer(const TrainOptions& options);

/// The trainer of the ranking factors: by algorithm for implicit feedback, the default for explicit feedback.
const RankingTrainer& ranking_trainer(const TrainOptions& options);

/// The options as the trainer of the rating factors takes them: their number is `factors`.
TrainOptions for_rating_factors(TrainOptions options);

/// The trainer that options.algorithm is about, and by its name; null if none of that name is for this feedback.
const Trainer& named_trainer(const TrainOptions& options);
const Trainer* find_trainer(Feedback feedback, std::string_view name);

/// Iterations of a whole training run at most: those of the rating factors and of the ranking factors.
int planned_iterations(TrainOptions options);

}  // namespace mf
