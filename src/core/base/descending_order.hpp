// Sorts indices by a key.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <span>
#include <utility>

#include "core/base/array.hpp"
#include "core/base/parallel.hpp"

namespace mf {

/// An index with its key as a number that is the less the greater the key is.
struct OrderKey {
    std::uint64_t bits;
    std::uint32_t index;
};

inline std::uint64_t descending_bits(std::unsigned_integral auto key) { return ~std::uint64_t{key}; }
inline std::uint64_t descending_bits(double key) {
    constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
    const auto bits = std::bit_cast<std::uint64_t>(key + 0.0);  // −0 becomes 0
    return (bits & kSign) != 0 ? bits : ~(bits | kSign);
}

/// The indices by ascending bits, ties in the order in which they are, in the calling thread and with checkpoints: a
/// radix sort by bytes, without a pass for those in which no two keys differ. Takes memory for the keys once more.
void sort_by_bits(Array<OrderKey> keys, std::span<std::uint32_t> order, Environment& environment);

/// Fills `order` with the indices from 0 on, greatest key(index) first, ties by index, in the calling thread and with
/// checkpoints. Keys are unsigned integers or doubles, of which none may be NaN. O(n); 32 bytes an index.
template <class Key>
void descending_order(std::span<std::uint32_t> order, Environment& environment, const Key& key) {
    Array<OrderKey> keys(order.size());
    for (std::uint32_t index = 0; index < order.size(); ++index) keys[index] = {descending_bits(key(index)), index};
    sort_by_bits(std::move(keys), order, environment);
}

}  // namespace mf
