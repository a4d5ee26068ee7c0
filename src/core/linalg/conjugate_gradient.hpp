// The normal equations of one row of ranking factors, solved approximately: a few steps of preconditioned conjugate
// gradient from the factors that the row has, without building the system.
//
// Takács, Pilászy, Tikk, "Applications of the Conjugate Gradient Method for Implicit Feedback Collaborative Filtering",
// RecSys 2011, with features in the eigenbasis of their Gram matrix (eigenbasis.hpp), where the part that the systems
// of all rows share is a diagonal, and the preconditioner.
//
//     (D + YᵀY) x = Yᵀs        D = a₀G + ridge·I
//
// Row j of Y is √c_j·y_j and s_j = √c_j; G is the Gram matrix of all features and a₀ the unobserved weight. All
// unobserved pairs together weigh more than a row's own by default, so D⁻¹ times the system is near the identity: with
// 20 M ratings and 64 factors, two steps gave the loss of exact solutions within 1e-4 from the second iteration on.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/array.hpp"
#include "core/linalg/eigenbasis.hpp"
#include "core/linalg/factor_matrix.hpp"
#include "core/linalg/kernels.hpp"

namespace mf {

/// Solves rows, one after the other, in memory of its own: one object per worker, no allocation per row.
class ConjugateGradient {
  public:
    /// Steps of a row at most.
    static constexpr int kSteps = 3;

    /// No further step if it would lower the row's least-squares problem by less than about this share of it. With
    /// 20 M ratings the loss of iterations 2 to 7 was that of exact solutions within 4e-5 for a share of 1e-5, within
    /// 1.2e-4 for 1e-4, at 1.8 and 1.0 steps a row in the sixth iteration; this is between the two.
    static constexpr float kTolerance = 3e-5f;

    /// Entries of a row whose gathered factors, 1 MB, are kept from one step to the next; those of longer rows are
    /// gathered again in each.
    static std::size_t kept_rows(int factors);

    /// 1 ≤ factors. Takes bytes(factors) bytes, some more than 1 MB.
    explicit ConjugateGradient(int factors);
    static std::size_t bytes(int factors);

    /// Improves `factors`, which has FactorMatrix::padded(k) floats, zeros after the first k. columns may be longer
    /// than weights: the surplus is prefetched. The ridge draws them to `center`, of as many floats, or to zero if that
    /// is null. Returns the value of the row's least-squares problem for the result, or NaN where single precision does
    /// not suffice; then what factors holds is of no use. O(steps · n·k).
    double improve(const SharedDiagonal& shared, FactorView features, std::span<const std::uint32_t> columns,
                   std::span<const float> weights, float ridge, const float* center, float* factors);

  private:
    static std::size_t panel_floats(int factors);
    float* panel(std::size_t first) { return panels_.data() + first / kPanelRows * panel_size(blocks_); }

    // The panel of the entries [first, first + count), and their scales.
    float* gather(FactorView features, std::span<const std::uint32_t> columns, std::span<const float> weights,
                  std::size_t first, std::size_t count, float* roots);

    std::size_t blocks_;
    std::size_t kept_;  // entries whose panels are kept; those after share one
    const Kernels& kernels_;
    Array<float> panels_;
    Array<float> vectors_;
};

}  // namespace mf
