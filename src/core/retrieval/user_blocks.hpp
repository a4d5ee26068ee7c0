// Cuts the users of a batch into blocks; only the lists of one block are in memory at the same time.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/retrieval/top_n.hpp"

namespace mf {

/// Number of users in a block whose users get lists of n of the items: `most`; fewer if the lists are so long that they
/// would have more than a million entries (8 MB), but at least 32, so that threads can share the work; fewer than that
/// if 32 lists would have more than eight million entries (64 MB), but at least one.
constexpr std::size_t block_users(std::size_t n, std::size_t items, std::size_t most) {
    constexpr std::size_t kEntries = std::size_t{1} << 20;
    constexpr std::size_t kLeast = 32;
    const std::size_t longest = std::max<std::size_t>(std::min(n, items), 1);
    const std::size_t least = std::clamp<std::size_t>(8 * kEntries / longest, 1, kLeast);
    return std::clamp(kEntries / longest, least, std::max(most, kLeast));
}

/// Queries of a block that a thread should take at once, for top_n_each(): kQueriesAtOnce, or fewer if there would be
/// none left for another thread. At least one.
constexpr std::size_t queries_at_once(std::size_t queries, int threads) {
    const std::size_t share = (queries + static_cast<std::size_t>(threads) - 1) / static_cast<std::size_t>(threads);
    return std::clamp<std::size_t>(share, 1, kQueriesAtOnce);
}

}  // namespace mf
