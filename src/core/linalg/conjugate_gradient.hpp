// The normal equations of one row of ranking factors, solved approximately: a few steps of preconditioned conjugate
// gradient from the factors that the row has, without building the system.
//
// Takács, Pilászy, Tikk, "Applications of the Conjugate Gradient Method for Implicit Feedback Collaborative Filtering",
// RecSys 2011, with a preconditioner that all rows of a half-step share: the inverse of what their systems share.
//
//     (a₀G + ridge·I + YᵀY) x = Yᵀs        M = a₀G + mean ridge·I
//
// Row j of Y is √c_j·y_j and s_j = √c_j; G is the Gram matrix of all features and a₀ the unobserved weight. All
// unobserved pairs together weigh more than a row's own by default, so M⁻¹ times the system is near the identity: with
// 20 M ratings and 64 factors, two steps gave the loss of exact solutions within 1e-4 from the second iteration on.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/array.hpp"
#include "core/base/parallel.hpp"
#include "core/linalg/factor_matrix.hpp"
#include "core/linalg/kernels.hpp"
#include "core/linalg/normal_equations.hpp"

namespace mf {

/// A symmetric matrix of 16·blocks rows, laid out for products with vectors: its rows in panels (kernels.hpp).
class SymmetricMatrix {
  public:
    explicit SymmetricMatrix(std::size_t blocks);

    /// Columns 16·block … 16·block + 15 of row i.
    float* row(std::size_t i, std::size_t block) {
        return data_.data() + i / kPanelRows * panel_size(blocks_) + block * kPanelStride + i % kPanelRows * kLanes;
    }

    /// out += matrix · vector. O(k²).
    void add_product(const float* vector, float* out) const;

  private:
    std::size_t blocks_;
    const Kernels& kernels_;
    Array<float> data_;
};

/// What the rows of a half-step share: a₀G and M⁻¹. Takes about 8·K² bytes, K = factors rounded up to 16.
class SharedSystem {
  public:
    /// O(k³) on environment.threads threads.
    SharedSystem(const GramMatrix& gram, int factors, float unobserved_weight, float mean_ridge,
                 Environment& environment);

    /// False if M is singular to working precision; then there is no inverse.
    bool is_invertible() const { return invertible_; }

    const SymmetricMatrix& gram() const { return gram_; }
    const SymmetricMatrix& inverse() const { return inverse_; }

  private:
    SymmetricMatrix gram_;
    SymmetricMatrix inverse_;
    bool invertible_;
};

/// Solves rows, one after the other, in memory of its own: one object per worker, no allocation per row.
class ConjugateGradient {
  public:
    /// Steps of a row at most.
    static constexpr int kSteps = 3;

    /// No further step if it would lower the row's least-squares problem by less than about this share of it. With
    /// 20 M ratings the loss of iterations 2 to 7 was that of exact solutions within 4e-5 for a share of 1e-5, within
    /// 1.2e-4 for 1e-4, at 1.8 and 1.0 steps a row in the sixth iteration; this is between the two.
    static constexpr float kTolerance = 3e-5f;

    /// Entries of the longest row: its gathered factors, 512 kB, stay in the second-level cache while the steps pass
    /// over them. To solve a longer one exactly is faster.
    static std::size_t longest_row(int factors);

    /// 1 ≤ factors. Takes about 550 kB.
    explicit ConjugateGradient(int factors);

    /// Improves `factors`, which has FactorMatrix::padded(k) floats, zeros after the first k. weights has at most
    /// longest_row() entries; columns may be longer: the surplus is prefetched. Returns the value of the row's
    /// least-squares problem for the result, or NaN where single precision does not suffice; then what factors holds
    /// is of no use. O(steps · (n·k + k²)).
    double improve(const SharedSystem& shared, FactorView features, std::span<const std::uint32_t> columns,
                   std::span<const float> weights, float ridge, float* factors);

  private:
    float* panel(std::size_t first) { return panels_.data() + first / kPanelRows * panel_size(blocks_); }

    std::size_t blocks_;
    const Kernels& kernels_;
    Array<float> panels_;
    Array<float> vectors_;
};

}  // namespace mf
