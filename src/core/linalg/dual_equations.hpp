// The normal equations of a row with fewer entries than factors, solved through a system of the size of its entries.
//
//     (D + Σ_j c_j y_j y_jᵀ) x = Σ_j c_j y_j        D a diagonal: features in their eigenbasis (eigenbasis.hpp)
//
// With row j of Z = √c_j · D^(−½) y_j, by the identity of Woodbury:
//
//     (I + Z Zᵀ) β = √c        x = D^(−½) Zᵀ β
//
// which takes O(n²·k + n³) in place of O(n·k² + k³).
#pragma once

#include <cstdint>
#include <span>

#include "core/base/array.hpp"
#include "core/linalg/eigenbasis.hpp"
#include "core/linalg/factor_matrix.hpp"
#include "core/linalg/kernels.hpp"

namespace mf {

/// Builds and solves such systems, one after the other, in memory of its own: one object per worker, no allocation per
/// row.
class DualEquations {
  public:
    /// Entries of the longest row for which this is the faster way.
    static std::size_t longest_row(int factors);

    /// 1 ≤ factors. Takes bytes(factors) bytes, about 8·K² with K = factors rounded up to 16.
    explicit DualEquations(int factors);
    static std::size_t bytes(int factors);

    /// Solves a row of 1 ≤ n ≤ longest_row() entries: factors, of FactorMatrix::padded(k) floats, become x. columns may
    /// be longer than weights; the surplus is prefetched. The ridge draws x to `center`, of as many floats, or to zero
    /// if that is null. False if the system is not positive definite to working precision. O(n²·k + n³).
    bool solve(const SharedDiagonal& shared, float ridge, FactorView features, std::span<const std::uint32_t> columns,
               std::span<const float> weights, const float* center, float* factors);

    /// The value of the row's least-squares problem for its solution: Σ c_j (1 − y_j·x)² + x·S x + ridge |x − center|²,
    /// with the shared diagonal S.
    double value() const { return value_; }

    /// vector = the inverse of the row's system · vector, of FactorMatrix::padded(k) floats. O(n·k + n²).
    void solve(float* vector);

  private:
    float* panel(std::size_t first) { return panels_.data() + first / kPanelRows * panel_size(row_blocks_); }
    void subtract_combination(float* vector);

    std::size_t factors_;
    std::size_t blocks_;
    std::size_t row_blocks_ = 0;  // of the row that was solved last
    double value_ = 0;
    const Kernels& kernels_;
    Array<float> panels_;
    Array<float> system_;
    Array<float> scales_;  // D^(−½), zeros after the first k
    Array<float> roots_;   // √c
    Array<float> right_;
    Array<float> product_;
};

}  // namespace mf
