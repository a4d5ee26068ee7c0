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

/// The bias of each row of `by_item`, whose values have this mean. O(entries).
void shrunk_item_biases(CsrView by_item, double mean, std::span<double> biases);

/// What predictions by biases need to know of the entries to train on.
struct BiasBaseline {
    double mean;
    double least;
    double greatest;
    std::span<const double> item_biases;
};

/// Errors over all entries of `test` of predictions by the items' biases and those of the users that follow from their
/// rows of `train`, clipped. Row r of both is of the same user. O(entries).
PredictionErrors measure_biases(const BiasBaseline& baseline, CsrView train, CsrView test, Environment& environment);

/// Errors over all entries of `test` of predictions by the biases of `train`, clipped to the least and the greatest
/// rating of `train`. Row r of both is of the same user. The same bits for any number of threads. O(entries).
PredictionErrors measure_biases(const Csr& train, const Csr& test, Environment& environment);

}  // namespace mf
