// Hold-out rows chosen by a hash: the same rows in every run, whatever their order.
#pragma once

#include <cstdint>

#include "core/interactions.hpp"
#include "core/parallel.hpp"

namespace mf {

/// Fold of one cell in [0, folds): the project's public hash split (SQL: mf_fold). It is cell_hash modulo
/// folds. InvalidArgument if folds is 0.
std::uint32_t fold_of(std::uint64_t user_hash, std::uint64_t item_hash, std::uint32_t folds,
                      std::uint64_t seed);

struct HoldOut {
    Csr train;
    Csr test;
};

/// Of each user's n rows the floor(fraction·n + 0.5) with the smallest cell_hash are held out, but at least
/// one stays in train. Both parts keep the shape of the whole: every user has a row in each, which may be
/// empty, and every item a column. fraction is in [0, 1), else InvalidArgument. O(entries), on all
/// threads.
HoldOut hold_out(const Dataset& dataset, double fraction, std::uint64_t seed, Environment& environment);

}  // namespace mf
