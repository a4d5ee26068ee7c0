// The hash table of ids: its hashes, its slots and the search for an id in the slots.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/base/hash.hpp"

namespace mf {

/// The upper half is the hash of an id, the lower half its index + 1; 0: empty. The upper bits of the hash determine
/// the slot where the search for the id begins.
using IdSlot = std::uint64_t;

constexpr IdSlot make_slot(std::uint32_t hash, std::uint32_t entry) { return std::uint64_t{hash} << 32 | entry; }
constexpr std::uint32_t hash_of(IdSlot slot) { return static_cast<std::uint32_t>(slot >> 32); }
constexpr std::uint32_t entry_of(IdSlot slot) { return static_cast<std::uint32_t>(slot); }

/// Hashes for the slots. Unlike id_hash(), they are stored nowhere and may change; they process 8 bytes per step.
inline std::uint32_t table_hash(std::int64_t id) { return mix64(static_cast<std::uint64_t>(id)) >> 32; }

inline std::uint32_t table_hash(std::string_view bytes) {
    std::uint64_t h = bytes.size();
    const char* data = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; left -= 8, data += 8) {
        std::uint64_t word;
        std::memcpy(&word, data, 8);
        h = mix64(h ^ word) + 0x9e3779b97f4a7c15u;
    }
    std::uint64_t word = 0;
    if (left > 0) std::memcpy(&word, data, left);
    return mix64(h ^ word) >> 32;
}

/// Slot that holds the id with this hash, or the empty slot where it belongs. The search begins at slot `home`; mask is
/// the number of slots, a power of two, less 1; holds(index) tells whether an index is that of the id.
template <class Holds>
std::size_t find_slot(const IdSlot* slots, std::size_t mask, std::size_t home, std::uint32_t hash, const Holds& holds) {
    for (std::size_t slot = home;; slot = (slot + 1) & mask) {
        const std::uint32_t entry = entry_of(slots[slot]);
        if (entry == 0 || (hash_of(slots[slot]) == hash && holds(entry - 1))) return slot;
    }
}

}  // namespace mf
