// What a training run keeps out of training to be measured on.
#pragma once

#include "core/data/split.hpp"
#include "core/training/options.hpp"

namespace mf {

/// The rows that `options` hold out of the cells. Dislikes are held out as well, but not measured on: a list is good
/// for what the user likes of it.
inline HoldOut held_out_rows(const Csr& cells, const IdHashes& hashes, double fraction, const TrainOptions& options,
                             Environment& environment) {
    HoldOut parts = hold_out(cells, hashes, fraction, options.seed, environment);
    if (options.dislikes) keep_positive(parts.test);
    return parts;
}

}  // namespace mf
