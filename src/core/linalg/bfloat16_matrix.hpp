// A copy of factor rows in half of their bits, for loops that read them in random order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/array.hpp"
#include "core/base/parallel.hpp"
#include "core/linalg/bfloat16_rows.hpp"
#include "core/linalg/factor_matrix.hpp"
#include "core/linalg/gram_matrix.hpp"

namespace mf {

/// Rows of a FactorMatrix, rounded to 8 significant bits and all scaled by one power of two. The scale follows from a
/// Gram matrix, so that a copy of some of its rows has the same bits: √ of its largest element, which no factor
/// exceeds, comes to lie between 1 and 2. Without it, factors that are tiny, as those of users are where ratings are,
/// would have products that single precision cannot hold.
class Bfloat16Matrix {
  public:
    Bfloat16Matrix() = default;

    /// Bytes of a copy.
    static double bytes(double rows, int factors);

    /// Becomes a copy of `rows`, in the memory that it has if that is enough. gram: of these rows and maybe others, all
    /// its elements finite. O(rows·k) on environment.threads threads.
    void copy(FactorView rows, const GramMatrix& gram, Environment& environment);

    /// The same with the largest element of the Gram matrix's diagonal, a finite number.
    void copy(FactorView rows, double largest, Environment& environment);

    Bfloat16Rows rows() const { return {data_.data(), unit_}; }

  private:
    float unit_ = 1.0f;
    Array<std::uint32_t> data_;
};

}  // namespace mf
