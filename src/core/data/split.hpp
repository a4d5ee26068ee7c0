// Hold-out rows chosen by a hash: the same rows in every run, whatever their order.
#pragma once

#include <cstdint>

#include "core/base/parallel.hpp"
#include "core/data/interactions.hpp"

namespace mf {

/// Fold of one cell in [0, folds), by the public hash split (SQL: mf_fold): cell_hash modulo folds. InvalidArgument if
/// folds is 0.
std::uint32_t fold_of(std::uint64_t user_hash, std::uint64_t item_hash, std::uint32_t folds, std::uint64_t seed);

/// Two parts of some cells. Both keep the shape of the whole: every user has a row in each, which may be empty, and
/// every item a column.
struct HoldOut {
    Csr train;
    Csr test;
};

/// Hashes of the ids, by which cells are chosen. 8 bytes per user and item.
struct IdHashes {
    Array<std::uint64_t> users;
    Array<std::uint64_t> items;
};

/// O(users + items), on all threads.
IdHashes id_hashes(const Dataset& dataset, Environment& environment);

/// HistoryDigest of each row. O(entries), on all threads.
Array<std::uint64_t> history_digests(const Csr& by_user, const IdHashes& hashes, Environment& environment);

/// Holds out, of each user's n rows, the floor(fraction·n + 0.5) with the smallest cell_hash, but leaves at least one
/// in train. InvalidArgument if fraction is not in [0, 1). O(entries), on all threads.
HoldOut hold_out(const Csr& cells, const IdHashes& hashes, double fraction, std::uint64_t seed,
                 Environment& environment);

/// Leaves out the entries whose value is not above zero. O(entries), on the calling thread.
void keep_positive(Csr& cells);

/// Holds out the cells whose fold_of() is `fold`; all others are in train. fold < folds. O(entries), on all threads.
HoldOut hold_out_fold(const Csr& cells, const IdHashes& hashes, std::uint32_t fold, std::uint32_t folds,
                      std::uint64_t seed, Environment& environment);

}  // namespace mf
