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
    constexpr float kSmallestNormal = 0x1.0p-14f;
    const float magnitude = std::fabs(value);
    const std::uint32_t sign = std::signbit(value) ? 0x8000u : 0u;
    // Beside 0.5 a float has the resolution of subnormal 16-bit floats, so that the sum is rounded as it should be.
    if (magnitude < kSmallestNormal)
        return static_cast<std::uint16_t>(
            sign | (std::bit_cast<std::uint32_t>(magnitude + 0.5f) - std::bit_cast<std::uint32_t>(0.5f)));
    // Scaled so that the exponents of both formats agree; the rest is rounding 13 bits off.
    const auto bits = std::bit_cast<std::uint32_t>(magnitude * 0x1.0p-112f);
    return static_cast<std::uint16_t>(sign | ((bits + 0xfffu + ((bits >> 13) & 1u)) >> 13));
}

/// Exact for finite numbers; infinities and NaN become finite numbers above kLargestHalf in magnitude.
inline float from_half(std::uint16_t half) {
    const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
    return std::bit_cast<float>(sign | static_cast<std::uint32_t>(half & 0x7fffu) << 13) * 0x1.0p112f;
}

}  // namespace mf
