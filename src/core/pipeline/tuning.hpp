// Search for the options whose models are best on rows they have not seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/data/features.hpp"
#include "core/data/interactions.hpp"
#include "core/pipeline/search_space.hpp"
#include "core/training/options.hpp"

namespace mf {

constexpr int kMostTrials = 10000;

struct TuningOptions {
    /// Points tried for each kind of factors, at most kMostTrials.
    int trials = 27;
    /// Wall seconds after which no more is tried; what an iteration or a measurement takes may come on top.
    double seconds = std::numeric_limits<double>::infinity();
    /// Length of the lists whose NDCG is measured.
    std::size_t k = 10;
};

/// One point and how good it is.
struct Trial {
    int number = 0;  ///< in the order in which they began, from 1
    Settings parameters;
    int iterations = 0;                                      ///< of the best measurement, the last one
    double rmse = std::numeric_limits<double>::quiet_NaN();  ///< for rating factors
    double ndcg = std::numeric_limits<double>::quiet_NaN();  ///< for ranking factors
    double seconds = 0;                                      ///< wall time of all its training runs and measurements
};

/// Successive halving over iterations (Jamieson, Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter
/// Optimization", AISTATS 2016): all points are trained for a quarter of their iterations, the best third for half of
/// them, the best third of those for all; nine points or fewer skip the first round, three the second.
/// options.test_fraction of each user's cells, greater than 0, are kept out of all training runs, and measures are
/// taken on them: RMSE for the options of rating factors, NDCG@k for those of ranking factors.
///
/// The two kinds are searched one after the other, the ranking factors first, since neither depends on the other but
/// for the number of factors. That is searched for the ranking factors, and for the rating factors if the space has
/// options for them only.
///
/// The best come first: all trials of ranking factors, then those of rating factors, each by how many rounds they took
/// part in, then by the measure. If both kinds were searched, the parameters of the first trial are completed by those
/// of the best one of the other kind, with its RMSE: what to train with.
///
/// With features, a row for each item or user, these are drawn to the map from them in every trial.
///
/// Options that are found from the data are found first, on the rows that are trained on, and are a point to begin
/// with.
///
/// Deterministic for the seed of `options` unless the time ends the search. A point that cannot be trained
/// (NumericalFailure) is the worst; if none can, the failure is thrown. The space is one that check_space() accepts,
/// which the caller asks before reading the data. Throws InvalidArgument for unknown options, trials out of range or
/// seconds that are not above 0, and if not one trial ends in time; InvalidData if no cell can be held out. Reports
/// each training run as an iteration of the phase "tuning".
std::vector<Trial> tune(const Dataset& dataset, const TrainOptions& options, const SearchSpace& space,
                        const TuningOptions& tuning, Environment& environment, const KnownFeatures& features = {});

}  // namespace mf
