// Σ_r y_r y_rᵀ over the rows of a factor matrix: at once on all threads, or in parts that are summed later.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/base/array.hpp"
#include "core/base/parallel.hpp"
#include "core/linalg/factor_matrix.hpp"
#include "core/linalg/kernels.hpp"

namespace mf {

/// A Gram matrix under construction: rows are added, the sums of other rows are merged, and the sums travel as plain
/// numbers.
class GramSums {
  public:
    /// The sums over no rows. 1 ≤ factors.
    explicit GramSums(int factors) : factors_(factors), values_(size(factors), 0.0) {}

    /// The sums that values() of another object gave. Throws InvalidArgument unless there are size(factors) of them.
    GramSums(int factors, std::span<const double> values);

    /// Numbers of the flat form: k·(k + 1) / 2.
    static std::size_t size(int factors) {
        return static_cast<std::size_t>(factors) * (static_cast<std::size_t>(factors) + 1) / 2;
    }

    /// Adds the rows of a matrix with as many factors. Products are summed in single precision, by thousands of rows,
    /// which are summed in double precision. O(rows · k²), on the calling thread.
    void add(FactorView rows);

    /// Adds the sums over other rows. Throws InvalidArgument if these have another number of factors. O(k²).
    GramSums& operator+=(const GramSums& other);

    /// Adds a system (kernels.hpp) that holds the sums over some rows. O(k²).
    void add_system(const float* system);

    int factors() const { return factors_; }

    /// The flat form: the upper triangle row by row, element (i, j) with i ≤ j < k at i·k − i·(i − 1)/2 + j − i.
    std::span<const double> values() const { return values_; }

  private:
    int factors_;
    std::vector<double> values_;
};

/// A Gram matrix in the layout of a system (kernels.hpp).
class GramMatrix {
  public:
    GramMatrix() = default;

    /// O(rows · k²) on environment.threads threads. Rows are cut into blocks whose number depends on the shape of the
    /// matrix alone and which are summed in order, in double precision: the same bits for any number of threads.
    GramMatrix(FactorView matrix, Environment& environment);

    /// O(k²).
    explicit GramMatrix(const GramSums& sums);

    /// Refers to the data() of another one, which may lie in memory that processes share.
    GramMatrix(const float* data, int factors) : blocks_(FactorMatrix::padded(factors) / kLanes), data_(data) {}

    const float* data() const { return data_; }
    /// Floats at data().
    std::size_t size() const { return system_size(blocks_); }
    bool empty() const { return data_ == nullptr; }

    /// Element (row, column); both below k.
    float at(std::size_t row, std::size_t column) const;

  private:
    std::size_t blocks_ = 0;
    Array<float> owned_;
    const float* data_ = nullptr;
};

}  // namespace mf
