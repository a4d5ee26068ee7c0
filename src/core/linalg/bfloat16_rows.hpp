// Rows of bfloat16 numbers, the upper halves of 32-bit floats: 8 significant bits, the exponents of floats.
//
// The columns come in blocks of 16, as everywhere (kernels.hpp), and two blocks share 16 words of 32 bits, one cache
// line: word i has number i of the first block in its upper half and number i of the second in its lower one. A word
// shifted up by 16 bits is the second number as a float. A word as it is, taken for a float, is the first, since its
// upper half was chosen for the nearest such float, whatever the lower half is. So two numbers take one instruction to
// unpack, where 16-bit floats of the other kind (half_floats.hpp), which have 11 significant bits, take two each. The
// last block of an odd number of them has the lower halves of 16 words for itself, the upper ones are zero.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace mf {

/// Words of a row of so many column blocks.
constexpr std::size_t bfloat16_words(std::size_t blocks) { return (blocks + 1) / 2 * 16; }

/// Numbers below this magnitude are dropped: zero if that is what both numbers of a word are, otherwise of about this
/// magnitude at most.
inline constexpr float kSmallestBfloat16 = 0x1.0p-64f;

/// Rows of so many words, each number times `unit`.
struct Bfloat16Rows {
    const std::uint32_t* words = nullptr;  ///< aligned to 64 bytes, bfloat16_words(blocks) of a row
    float unit = 1.0f;

    /// The number of a row and a column.
    float at(std::size_t blocks, std::size_t row, std::size_t column) const {
        const std::size_t block = column / 16;
        const std::uint32_t word = words[row * bfloat16_words(blocks) + block / 2 * 16 + column % 16];
        const bool is_upper = block % 2 == 0 && block + 1 < blocks;
        return unit * std::bit_cast<float>(is_upper ? word : word << 16);
    }
};

}  // namespace mf
