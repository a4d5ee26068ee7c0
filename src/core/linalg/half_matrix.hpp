// A copy of factor rows in floats of 16 bits, for loops that wait for memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/array.hpp"
#include "core/base/parallel.hpp"
#include "core/linalg/factor_matrix.hpp"
#include "core/linalg/gram_matrix.hpp"
#include "core/linalg/kernels.hpp"

namespace mf {

/// Rows in the layout of a FactorMatrix, rounded to the 11 significant bits of 16-bit floats (half_floats.hpp), all
/// scaled by one power of two. The scale follows from a Gram matrix, so that a copy of some of its rows has the same
/// bits: √ of its largest element, which no factor exceeds, comes to lie between 2^14 and 2^15. Numbers below 2^-14 at
/// that scale become zero, since 16-bit floats have fewer bits for them, and processors take long.
class HalfMatrix {
  public:
    HalfMatrix() = default;

    /// Bytes of a copy.
    static double bytes(double rows, int factors);

    /// Becomes a copy of `rows`, in the memory that it has if that is enough. gram: of these rows and maybe others, all
    /// its elements finite. O(rows·k) on environment.threads threads.
    void copy(FactorView rows, const GramMatrix& gram, Environment& environment);

    /// The same with the largest element of the Gram matrix's diagonal, a finite number.
    void copy(FactorView rows, double largest, Environment& environment);

    HalfRows rows() const { return {data_.data(), stride_, unit_}; }

  private:
    std::size_t stride_ = 0;
    float unit_ = 1.0f;
    Array<std::uint16_t> data_;
};

}  // namespace mf
