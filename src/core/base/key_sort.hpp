// Sorts many small elements by an integer key, in place.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <utility>

#include "core/base/parallel.hpp"

namespace mf {

/// Sorts by key(element), a 32-bit number below `keys`; the order of elements with the same key is not specified.
/// First moves each element to its range of keys, which needs no memory besides (McIlroy, Bostic, McIlroy: "Engineering
/// Radix Sort", Computing Systems 1993); then sorts the ranges, which fit into the cache, on all threads. After an
/// exception of the checkpoint the elements are in an unspecified order. O(n log(n / 512)).
template <class T, class Key>
void sort_by_key(std::span<T> values, std::uint32_t keys, Environment& environment, const Key& key) {
    constexpr int kRangeBits = 9;
    constexpr std::size_t kRanges = std::size_t{1} << kRangeBits;
    const auto less = [&](const T& a, const T& b) { return key(a) < key(b); };
    if (std::is_sorted(values.begin(), values.end(), less)) return;
    const int shift = std::max(0, static_cast<int>(std::bit_width(keys)) - kRangeBits);
    const auto range_of = [&](const T& value) { return std::size_t{key(value) >> shift}; };
    std::array<std::size_t, kRanges + 1> begins{};
    for (const T& value : values) ++begins[range_of(value) + 1];
    for (std::size_t range = 0; range < kRanges; ++range) begins[range + 1] += begins[range];
    check_interrupt(environment);
    // next[r]: the first place of range r that may hold an element of another range.
    std::array<std::size_t, kRanges> next;
    std::copy_n(begins.begin(), kRanges, next.begin());
    SmallSteps steps(environment);
    for (std::size_t range = 0; range < kRanges; ++range) {
        const std::size_t first = next[range];
        while (next[range] < begins[range + 1]) {
            T& value = values[next[range]];
            for (std::size_t home; (home = range_of(value)) != range;) std::swap(value, values[next[home]++]);
            ++next[range];
        }
        steps.done(next[range] - first);
    }
    parallel_for(environment, kRanges, [&](std::size_t range, int) {
        std::sort(values.begin() + static_cast<std::ptrdiff_t>(begins[range]),
                  values.begin() + static_cast<std::ptrdiff_t>(begins[range + 1]), less);
    });
}

}  // namespace mf
