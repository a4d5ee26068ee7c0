// Eigenvalues and eigenvectors of a symmetric tridiagonal matrix, by implicit QR steps with Wilkinson's shift: Golub
// and Van Loan, "Matrix Computations" (4th edition), section 8.3.
//
// Eigen has the same, and applies each rotation to two columns of the vectors as soon as it is known, on one thread.
// Here rotations are collected, and then applied by all threads to the rows of the vectors, which do not depend on each
// other: with 512 rows an eigenbasis (eigenbasis.hpp) takes less than half of the time, with 1024 a quarter
// (kernels_bench.cpp).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/base/array.hpp"
#include "core/base/parallel.hpp"
#include "core/linalg/kernels.hpp"

namespace mf {

/// A matrix of n columns for rotations of its columns, in groups of 16 rows: element (i, j) at
/// values[(i/16·n + j)·16 + i%16]. Rows after the last one are zero.
class RotatedRows {
  public:
    explicit RotatedRows(std::size_t n) : columns_(n), groups_((n + kLanes - 1) / kLanes) {
        values_ = Array<double>(groups_ * n * kLanes, 0.0);
    }
    std::size_t groups() const { return groups_; }
    double* group(std::size_t g) { return values_.data() + g * columns_ * kLanes; }
    double& at(std::size_t row, std::size_t column) { return group(row / kLanes)[column * kLanes + row % kLanes]; }

  private:
    std::size_t columns_;
    std::size_t groups_;
    Array<double> values_;
};

/// Replaces the diagonal by the eigenvalues, in no order, and multiplies `vectors` by the matrix of the eigenvectors:
/// for vectors = Q they become those of Q·T·Qᵀ, column j of diagonal[j]. `beside` has the n − 1 elements beside the
/// diagonal, which are used up. False if that does not converge, or for numbers that are not finite. O(n³); the same
/// bits for any number of threads.
bool diagonalize(std::span<double> diagonal, std::span<double> beside, RotatedRows& vectors, Environment& environment);

}  // namespace mf
