// Floats of 16 bits (binary16 of IEEE 754: 11 significant bits) as storage: nothing is computed in them.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace mf {

/// Greater values have no 16-bit float but infinity.
inline constexpr float kLargestHalf = 65504.0f;

/// The nearest 16-bit float, ties to even. |value| ≤ kLargestHalf.
inline std::uint16_t to_half(float value) {
    // Scaled so that the exponents of both formats agree, also for subnormal numbers; the rest is rounding 13 bits off.
    const auto bits = std::bit_cast<std::uint32_t>(std::fabs(value) * 0x1.0p-112f);
    const std::uint32_t rounded = (bits + 0xfffu + ((bits >> 13) & 1u)) >> 13;
    return static_cast<std::uint16_t>(rounded | (std::signbit(value) ? 0x8000u : 0u));
}

/// Exact for finite numbers; infinities and NaN become finite numbers above kLargestHalf in magnitude.
inline float from_half(std::uint16_t half) {
    const float magnitude = std::bit_cast<float>(static_cast<std::uint32_t>(half & 0x7fffu) << 13) * 0x1.0p112f;
    return (half & 0x8000u) != 0 ? -magnitude : magnitude;
}

}  // namespace mf
