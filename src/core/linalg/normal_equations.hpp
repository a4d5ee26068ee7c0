// The normal equations of one row of a factor matrix: built from gathered factor rows, solved by Cholesky.
//
//     (G + Σ_j s_j² y_j y_jᵀ + ridge·I) x = Σ_j c_j s_j y_j
//
// y_j are rows of the other side's factors, s_j their scales, G an optional Gram matrix.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/base/array.hpp"
#include "core/base/parallel.hpp"
#include "core/linalg/factor_matrix.hpp"
#include "core/linalg/gram_matrix.hpp"
#include "core/linalg/kernels.hpp"

namespace mf {

/// Entries of a piece, a whole number of panels: 20 to 50 milliseconds of work. Rows up to this are not cut.
inline std::size_t piece_entries(int factors) {
    constexpr double kCost = 2e9;  // multiply-adds
    const double k = static_cast<double>(FactorMatrix::padded(factors));
    // With few factors it is the gathering that takes the time.
    const double entries = std::min(2 * kCost / (k * k), 0x1.0p20);
    return static_cast<std::size_t>(entries) / kPanelRows * kPanelRows;
}

/// Builds and solves systems of one size, one after the other, in memory of its own: one object per worker, no
/// allocation per row. Padding columns get a diagonal of 1, so that padded factors are zero.
class NormalEquations {
  public:
    /// 1 ≤ factors. Takes bytes(factors) bytes, about 4·K² + 260·K with K = factors rounded up to 16.
    explicit NormalEquations(int factors);
    static std::size_t bytes(int factors);

    /// Starts a system: from `gram_weight` times a Gram matrix, or from zero if `gram` is null.
    void start(const GramMatrix* gram, float gram_weight);

    /// Gathers rows of `features` into the panel: columns[0 … count) with their scales, count ≤ kPanelRows; columns
    /// after count, up to its size, are prefetched. Adds the rows' outer products to the system.
    void add_rows(FactorView features, std::span<const std::uint32_t> columns, std::size_t count, const float* scales);

    /// Adds Σ_j coefficients[j] · (scaled row j of the panel gathered last) to right-hand side 0 or 1.
    void add_right_hand_side(int side, const float* coefficients, std::size_t count);

    /// Adds factor · vector, of FactorMatrix::padded(k) floats, to right-hand side 0 or 1. O(k).
    void add_to_right_hand_side(int side, float factor, const float* vector);

    /// Two sums over the entries, for the caller to add to; start() makes them zero.
    std::array<double, 2>& sums() { return sums_; }

    /// Adds another system that was built from zero, its right-hand sides and its sums. O(k²).
    NormalEquations& operator+=(const NormalEquations& other);

    /// Another system of this size, for a part of a long row; allocated when first asked for.
    NormalEquations& part();

    /// Adds the ridge to the diagonal and factorizes. False if the system is not positive definite to working
    /// precision. O(k³/3).
    bool factorize(float ridge);

    /// Right-hand side `side` becomes U⁻ᵀ times itself; products of two such vectors are products by the inverse of
    /// the system. O(k²).
    void solve_lower(int side);

    /// U⁻¹ times (right 0 − factor · right 1), after solve_lower. factors has FactorMatrix::padded(k) floats. O(k²).
    void solve_upper(float factor, float* factors);

    /// vector = the inverse of the factorized system · vector, of FactorMatrix::padded(k) floats. O(k²).
    void solve(float* vector) const;

    /// Dot product of two right-hand sides as they are now, in double precision.
    double product(int a, int b) const;

    int factors() const { return factors_; }

  private:
    int factors_;
    std::size_t blocks_;
    const Kernels& kernels_;
    Array<float> system_;
    Array<float> panel_;
    Array<float> right_;  // two vectors
    std::array<double, 2> sums_{};
    std::unique_ptr<NormalEquations> part_;
};

}  // namespace mf
