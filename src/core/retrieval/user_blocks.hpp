// Cuts the users of a batch into blocks whose lists are in memory at a time.
#pragma once

#include <algorithm>
#include <cstddef>

namespace mf {

/// Users of a block that are to have lists of n of the items: `most` of them, fewer where lists are so long that their
/// entries would go beyond a million (8 MB), but at least 32, so that threads have something to share, unless theirs
/// would go beyond eight millions (64 MB); one user at least.
constexpr std::size_t block_users(std::size_t n, std::size_t items, std::size_t most) {
    constexpr std::size_t kEntries = std::size_t{1} << 20;
    constexpr std::size_t kLeast = 32;
    const std::size_t longest = std::max<std::size_t>(std::min(n, items), 1);
    const std::size_t least = std::clamp<std::size_t>(8 * kEntries / longest, 1, kLeast);
    return std::clamp(kEntries / longest, least, std::max(most, kLeast));
}

}  // namespace mf
