// Cuts the users of a batch into blocks whose lists are in memory at a time.
#pragma once

#include <algorithm>
#include <cstddef>

namespace mf {

/// Users of a block that are to have lists of n of the items: `most` of them, fewer where lists are so long that their
/// entries would go beyond a million (8 MB), but at least 32, so that threads have something to share.
constexpr std::size_t block_users(std::size_t n, std::size_t items, std::size_t most) {
    constexpr std::size_t kEntries = std::size_t{1} << 20;
    constexpr std::size_t kLeast = 32;
    const std::size_t longest = std::max<std::size_t>(std::min(n, items), 1);
    return std::clamp(kEntries / longest, kLeast, std::max(most, kLeast));
}

}  // namespace mf
