// Indices in the order of what they stand for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>

namespace mf {

/// Fills order with the indices from 0 on, greatest key(index) first, ties by index. No key is NaN. O(n log n).
template <class Key>
void descending_order(std::span<std::uint32_t> order, const Key& key) {
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return key(a) > key(b); });
}

}  // namespace mf
