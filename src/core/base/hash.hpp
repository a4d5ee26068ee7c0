// Hash functions whose values must never change: hold-out membership and the stored digest of a history depend on them,
// so they are written out here and give the same numbers on every platform and in every version.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace mf {

/// Mixes 64 bits (finalizer of splitmix64, Steele, Lea, Flood 2014). A bijection.
constexpr std::uint64_t mix64(std::uint64_t x) {
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    x ^= x >> 31;
    return x;
}

/// Hash of an identifier's text form, byte by byte (FNV-1a, then mixed): the integer 42 and the text '42' have the
/// same.
constexpr std::uint64_t id_hash(std::string_view text) {
    std::uint64_t h = 0xcbf29ce484222325u;
    for (const char c : text) {
        h ^= static_cast<unsigned char>(c);
        h *= 0x100000001b3u;
    }
    return mix64(h);
}

/// Hash of one (user, item) cell for a seed, from the two id hashes: decides folds and hold-out rows.
constexpr std::uint64_t cell_hash(std::uint64_t user_hash, std::uint64_t item_hash, std::uint64_t seed) {
    return mix64(mix64(user_hash + 0x9e3779b97f4a7c15u * (seed + 1)) ^ std::rotl(item_hash, 32));
}

/// Digest of a user's history, independent of the order of its rows: shows whether the history is still the one from
/// which the stored factors were solved.
class HistoryDigest {
  public:
    void add(std::uint64_t item_hash, float value, float weight = 1.0f) {
        add_summand(summand(item_hash, value, weight));
    }

    /// What a row adds. weight: by its age (recency.hpp).
    static std::uint64_t summand(std::uint64_t item_hash, float value, float weight) {
        return weight == 1.0f ? summand(item_hash, value)
                              : mix64(summand(item_hash, value) ^ std::bit_cast<std::uint32_t>(weight));
    }
    static std::uint64_t summand(std::uint64_t item_hash, float value) {
        // -0.0 equals 0.0 and must have the same hash.
        const std::uint32_t bits = std::bit_cast<std::uint32_t>(value == 0.0f ? 0.0f : value);
        return mix64(item_hash ^ (0x9e3779b97f4a7c15u * (bits + std::uint64_t{1})));
    }
    void add_summand(std::uint64_t summand) {
        sum_ += summand;
        ++count_;
    }
    std::uint64_t value() const { return mix64(sum_ + count_); }

  private:
    std::uint64_t sum_ = 0;
    std::uint64_t count_ = 0;
};

}  // namespace mf
