// Products of the sparse matrix of residuals, what mean and biases leave of the ratings, with factors: the passes of a
// range finder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/data/csr.hpp"
#include "core/linalg/factor_matrix.hpp"
#include "core/training/row_blocks.hpp"

namespace mf {

/// The residual of row r and column c is (value − mean − row_bias[r] − column_bias[c]) / unit.
struct Residuals {
    const Csr& values;
    double mean;
    double unit;
    std::span<const float> row_bias;
    std::span<const float> column_bias;
};

/// The work of such products for one matrix, cut once.
class ResidualProduct {
  public:
    /// Floats of factors that a piece of a long row reads: some tens of milliseconds of work.
    static constexpr std::size_t kPieceFloats = std::size_t{1} << 24;

    /// O(rows). A row that reads more than piece_floats is cut into pieces, lest a cancel and the other threads wait
    /// for it.
    ResidualProduct(const Csr& matrix, int factors, std::size_t piece_floats = kPieceFloats);

    /// product row r = n_r^exponent · Σ_c residual(r, c) · factors row c, n_r being the entries of row r; zeros for a
    /// row without entries. residuals.values is the matrix given before. The same bits for any number of threads.
    /// O(entries · k). Memory: a panel a thread, and as many rows as the longest row has pieces.
    void compute(const Residuals& residuals, double exponent, FactorView factors, Environment& environment,
                 FactorMatrix& product) const;

    /// Blocks of rows that read about as much, some milliseconds' worth; long rows count nothing.
    std::span<const RowBlock> blocks() const { return blocks_; }

  private:
    const Csr& matrix_;
    std::size_t piece_;  // entries
    std::vector<RowBlock> blocks_;
    std::vector<std::uint32_t> long_rows_;
};

}  // namespace mf
