#include "core/base/half_floats.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "core/base/random.hpp"

namespace mf {
namespace {

/// Every finite 16-bit float by the definition of the format.
float value_of(unsigned half) {
    const unsigned exponent = half >> 10 & 31u, fraction = half & 1023u;
    const double magnitude =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, static_cast<int>(exponent) - 25);
    return static_cast<float>((half & 0x8000u) != 0 ? -magnitude : magnitude);
}

TEST(HalfFloats, AreThoseOfTheFormat) {
    for (unsigned half = 0; half < 0x10000u; ++half) {
        if ((half & 0x7c00u) == 0x7c00u) continue;
        const float value = from_half(static_cast<std::uint16_t>(half));
        EXPECT_EQ(std::bit_cast<std::uint32_t>(value), std::bit_cast<std::uint32_t>(value_of(half))) << half;
        EXPECT_EQ(to_half(value), half);
    }
}

TEST(HalfFloats, InfinitiesAndNanAreBeyondTheLargest) {
    for (const unsigned half : {0x7c00u, 0x7e01u, 0xfc00u, 0xffffu}) {
        const float value = from_half(static_cast<std::uint16_t>(half));
        EXPECT_TRUE(std::isfinite(value));
        EXPECT_GT(std::fabs(value), kLargestHalf);
    }
}

TEST(HalfFloats, RoundsToTheNearest) {
    Random random(1);
    const auto distance = [](float value, unsigned half) {
        return std::fabs(static_cast<double>(value) - static_cast<double>(value_of(half)));
    };
    for (int i = 0; i < 200000; ++i) {
        const auto value = static_cast<float>(std::ldexp(random.normal(), static_cast<int>(random.next() % 44) - 30));
        if (std::fabs(value) > kLargestHalf) continue;
        const unsigned half = to_half(value);
        const unsigned below = (half & 0x7fffu) > 0 ? half - 1 : half;
        const unsigned above = (half & 0x7fffu) < 0x7bffu ? half + 1 : half;
        EXPECT_LE(distance(value, half), distance(value, below)) << value;
        EXPECT_LE(distance(value, half), distance(value, above)) << value;
    }
    // Ties go to the even one.
    EXPECT_EQ(to_half(1.0f + 0x1.0p-11f), to_half(1.0f));
    EXPECT_EQ(to_half(1.0f + 0x3.0p-11f), to_half(1.0f + 0x1.0p-9f));
    EXPECT_EQ(to_half(kLargestHalf), 0x7bff);
    EXPECT_EQ(to_half(-kLargestHalf), 0xfbff);
    EXPECT_EQ(to_half(std::numeric_limits<float>::denorm_min()), 0);
}

}  // namespace
}  // namespace mf
