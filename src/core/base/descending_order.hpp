// Sorts indices by a key.
#pragma once

#include <cstdint>
#include <numeric>
#include <span>

#include "core/base/interruptible_sort.hpp"

namespace mf {

/// Fills `order` with the indices from 0 on, greatest key(index) first, ties by index, in the calling thread and with
/// checkpoints. No key may be NaN. O(n log n).
template <class Key>
void descending_order(std::span<std::uint32_t> order, Environment& environment, const Key& key) {
    std::iota(order.begin(), order.end(), 0u);
    stable_sort_with_checkpoints(order, environment, [&](std::uint32_t a, std::uint32_t b) { return key(a) > key(b); });
}

}  // namespace mf
