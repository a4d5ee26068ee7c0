// A seeded generator of our own, so that the same seed gives the same numbers with every compiler and standard library.
// Only normal() depends on the platform, since its logarithm and cosine are those of the C library.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/base/hash.hpp"

namespace mf {

/// Counter-based: number i of stream s is a function of (seed, s, i) alone, so any part of a matrix can be filled by
/// any thread.
class Random {
  public:
    explicit Random(std::uint64_t seed, std::uint64_t stream = 0)
        : state_(mix64(mix64(seed + 0x9e3779b97f4a7c15u) ^ (stream * 0xd1342543de82ef95u + 1))) {}

    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15u;
        return mix64(state_);
    }
    /// Uniform in (0, 1).
    double uniform() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1.0p-53; }
    /// Normal with mean 0 and variance 1 (Box–Muller).
    double normal() {
        const double radius = std::sqrt(-2.0 * std::log(uniform()));
        return radius * std::cos(6.283185307179586 * uniform());
    }

  private:
    std::uint64_t state_;
};

}  // namespace mf
