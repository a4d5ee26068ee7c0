// Parts of a set of interactions that stand for the whole.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/data/csr.hpp"
#include "core/data/split.hpp"

namespace mf {

/// The rows of at most `limit` users, evenly spaced among those that have any; all others are empty. O(rows).
Csr sample_rows(const Csr& matrix, std::size_t limit);

/// Cells with the hashes of their users and items.
struct HashedCells {
    Csr cells;
    IdHashes hashes;
};

/// All cells of evenly spaced users: about `most` of them, if there are more. Users and items that have none are left
/// out; the others keep their order. O(entries).
HashedCells sample_users(const Csr& cells, const IdHashes& hashes, std::uint64_t most);

}  // namespace mf
