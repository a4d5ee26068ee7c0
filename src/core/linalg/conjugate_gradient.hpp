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
//
// A step takes as long as the rows of Y need to arrive, so it reads them from a copy in half of their bits
// (bfloat16_matrix.hpp). Everything else is in single precision. The copy's rounding moves a solution by about 2^-9 of
// it, which raises the row's problem by the square of that: less than kStepTolerance leaves.
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

    /// 1 ≤ factors. Takes bytes(factors) bytes.
    explicit ConjugateGradient(int factors);
    static std::size_t bytes(int factors);

    /// Improves `factors`, which has FactorMatrix::padded(k) floats, zeros after the first k. columns may be longer
    /// than weights: the surplus is prefetched. The ridge draws them to `center`, of as many floats, or to zero if that
    /// is null. Returns the value of the row's least-squares problem for the result, or NaN where single precision does
    /// not suffice; then what factors holds is of no use. O(steps · n·k).
    double improve(const SharedDiagonal& shared, const Bfloat16Rows& features, std::span<const std::uint32_t> columns,
                   std::span<const float> weights, float ridge, const float* center, float* factors);

  private:
    // sum += Yᵀ(targets − Y · vector), rows and targets times √c_j; returns the square of the norm of what is in
    // brackets.
    double add_rows(const Bfloat16Rows& features, std::span<const std::uint32_t> columns,
                    std::span<const float> weights, float target, const float* vector, float* sum) const;

    std::size_t blocks_;
    const Kernels& kernels_;
    Array<float> vectors_;
};

}  // namespace mf
