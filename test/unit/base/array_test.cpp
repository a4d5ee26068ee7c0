#include "core/base/array.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <new>
#include <numeric>
#include <span>
#include <utility>

// The sanitizers end the program when an allocation is absurd; here it must fail as it does without them.
extern "C" const char* __asan_default_options();
extern "C" const char* __tsan_default_options();
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1"; }

namespace mf {
namespace {

TEST(Array, EmptyOnesNeedNoMemory) {
    const Array<float> by_default;
    const Array<float> of_size_zero(0);
    EXPECT_TRUE(by_default.empty());
    EXPECT_EQ(by_default.begin(), by_default.end());
    EXPECT_EQ(of_size_zero.data(), nullptr);
    EXPECT_EQ(of_size_zero.size(), 0u);
}

TEST(Array, IsAlignedForEverySize) {
    for (const std::size_t size : {1u, 15u, 16u, 17u, 4095u, 1u << 19, (1u << 20) - 1, 1u << 20, (1u << 20) + 1}) {
        Array<float> array(size);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.data()) % 64, 0u) << size;
        EXPECT_EQ(array.size(), size);
        array[0] = 1;
        array[size - 1] = 2;  // the last element is inside, or the address sanitizer says so
        EXPECT_EQ(array.end()[-1], 2);
    }
}

TEST(Array, LargeOnesStartOnAHugePage) {
    const Array<char> array(std::size_t{5} << 20);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.data()) % (std::size_t{2} << 20), 0u);
}

TEST(Array, FillsWithAValue) {
    const Array<std::uint32_t> array(1000, 7);
    EXPECT_EQ(std::accumulate(array.begin(), array.end(), 0u), 7000u);
}

TEST(Array, MovesItsMemory) {
    Array<int> from(3, 5);
    const int* memory = from.data();
    Array<int> to(std::move(from));
    EXPECT_EQ(to.data(), memory);
    EXPECT_EQ(to.size(), 3u);
    EXPECT_TRUE(from.empty());
    EXPECT_EQ(from.data(), nullptr);

    Array<int> assigned(100, 1);
    assigned = std::move(to);
    EXPECT_EQ(assigned.data(), memory);
    EXPECT_EQ(assigned.size(), 3u);
    assigned = {};
    EXPECT_TRUE(assigned.empty());
}

TEST(Array, IsASpan) {
    Array<int> array(4, 2);
    const std::span<int> span = array;
    span[3] = 9;
    const std::span<const int> constant = std::as_const(array);
    EXPECT_EQ(constant.size(), 4u);
    EXPECT_EQ(constant[3], 9);
}

/// Hides a number from the compiler, which would warn of the absurd size.
std::size_t hidden(std::size_t n) {
    volatile std::size_t hidden = n;
    return hidden;
}

TEST(Array, AbsurdSizesThrowInsteadOfWrapping) {
    constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
    EXPECT_THROW(Array<float>{hidden(kMost)}, std::bad_alloc);  // bytes overflow
    EXPECT_THROW(Array<float>{hidden(kMost / 4 + 2)},
                 std::bad_alloc);                                          // … by a little: 4 bytes, were it to wrap
    EXPECT_THROW(Array<char>{hidden(kMost)}, std::bad_alloc);              // rounding up overflows
    EXPECT_THROW(Array<char>{hidden(kMost - (3 << 20))}, std::bad_alloc);  // fits, but nobody has it
}

TEST(CheckedMultiply, IsExactOrThrows) {
    constexpr std::size_t kHalf = std::size_t{1} << 32;
    EXPECT_EQ(checked_multiply(0, std::numeric_limits<std::size_t>::max()), 0u);
    EXPECT_EQ(checked_multiply(kHalf - 1, kHalf + 1), std::numeric_limits<std::size_t>::max());
    EXPECT_THROW(checked_multiply(kHalf, kHalf), std::bad_alloc);
}

}  // namespace
}  // namespace mf
