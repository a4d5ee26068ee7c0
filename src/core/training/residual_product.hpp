// Products of the sparse matrix of residuals, the ratings minus mean and biases, with factors: the passes of a range
// finder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/array.hpp"
#include "core/base/parallel.hpp"
#include "core/data/csr.hpp"
#include "core/linalg/factor_matrix.hpp"
#include "core/linalg/kernels.hpp"
#include "core/training/row_blocks.hpp"

namespace mf {

/// The residual of row r and column c is (value − mean − row_bias[r] − column_bias[c]) / unit.
struct Residuals {
    CsrView values;
    double mean;
    double unit;
    std::span<const float> row_bias;
    std::span<const float> column_bias;

    /// Rows [begin, end).
    Residuals slice(std::uint32_t begin, std::uint32_t end) const {
        return {values.slice(begin, end), mean, unit, row_bias.subspan(begin, end - begin), column_bias};
    }
};

/// Floats of factors that a piece of a long row reads: some tens of milliseconds of work. Pieces are summed apart.
inline constexpr std::size_t kResidualPieceFloats = std::size_t{1} << 24;

/// Scratch of one thread.
class ResidualWorkspace {
  public:
    explicit ResidualWorkspace(int factors)
        : panel_(panel_size(FactorMatrix::padded(factors) / kLanes)), part_(FactorMatrix::padded(factors)) {}
    float* panel() { return panel_.data(); }
    float* part() { return part_.data(); }

  private:
    Array<float> panel_;
    Array<float> part_;
};

/// A block of rows: product row r = n_r^exponent · Σ_c residual(r, c) · factors row c, n_r being the entries of row r;
/// zeros for a row without entries. A pure function of its arguments; whatever the blocks, a row gets the same bits.
/// O(entries · k).
void multiply_residuals(const Residuals& residuals, double exponent, FactorView factors, ResidualWorkspace& workspace,
                        MutableFactorView product, std::size_t piece_floats = kResidualPieceFloats);

/// The work of such products for one matrix, cut once.
class ResidualProduct {
  public:
    /// O(rows). A row that reads more than piece_floats is cut into pieces, so that neither a cancel nor the other
    /// threads have to wait for it.
    ResidualProduct(CsrView matrix, int factors, std::size_t piece_floats = kResidualPieceFloats);

    /// multiply_residuals() of all rows, the pieces of long ones on all threads; residuals.values is the matrix given
    /// before. The same bits for any number of threads. Memory: a panel a thread, and as many rows as the longest row
    /// has pieces.
    void compute(const Residuals& residuals, double exponent, FactorView factors, Environment& environment,
                 FactorMatrix& product) const;

    /// Blocks of rows that read about as much, some milliseconds' worth, and the long rows between them.
    const RowPlan& plan() const { return plan_; }

  private:
    std::size_t piece_floats_;
    RowPlan plan_;
};

}  // namespace mf
