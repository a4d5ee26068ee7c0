// The baseline of predicted ratings: the mean, a bias for each user and one for each item (Koren, Bell 2011, 'Advances
// in Collaborative Filtering').
#pragma once

#include "core/base/parallel.hpp"
#include "core/data/csr.hpp"
#include "core/evaluation/metrics.hpp"

namespace mf {

/// The bias of an item is the mean of what its ratings differ from the mean, as if it had 25 ratings more that do not
/// differ.
inline double shrunk_item_bias(double sum_of_differences, double ratings) {
    return sum_of_differences / (ratings + 25);
}

/// The bias of a user is the mean of what the user's ratings differ from the mean and the items' biases, as if there
/// were 10 ratings more that do not differ.
inline double shrunk_user_bias(double sum_of_differences, double ratings) {
    return sum_of_differences / (ratings + 10);
}

/// Errors over all entries of `test` of predictions by the biases of `train`, clipped to the least and the greatest
/// rating of `train`. Row r of both is of the same user. The same bits for any number of threads. O(entries).
PredictionErrors measure_biases(const Csr& train, const Csr& test, Environment& environment);

}  // namespace mf
