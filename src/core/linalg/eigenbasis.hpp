// The basis in which a Gram matrix is diagonal. Rotating the factors of both sides into it changes no score, and makes
// the part that the systems of all rows share a diagonal.
#pragma once

#include "core/base/array.hpp"
#include "core/base/parallel.hpp"
#include "core/linalg/factor_matrix.hpp"
#include "core/linalg/gram_matrix.hpp"

namespace mf {

/// The eigenvectors of a Gram matrix, those of large eigenvalues first. Takes 4·K² bytes, K = factors rounded up to 16.
class Eigenbasis {
  public:
    /// O(k³) on the calling thread, with checkpoints. Throws NumericalFailure if the matrix has elements that are not
    /// finite.
    Eigenbasis(const GramMatrix& gram, int factors, Environment& environment);

    /// Each row becomes its coordinates in this basis, on environment.threads threads; a row gets the same bits
    /// wherever it lies. O(rows · k²).
    void rotate(MutableFactorView rows, Environment& environment) const;

    /// The rotation that gives unit vector r the coordinates images.row(r), as many as there are factors. O(k²).
    explicit Eigenbasis(FactorView images);

    /// The way back: what rotates rows in this basis to where they were. O(k²).
    Eigenbasis inverse() const;

  private:
    explicit Eigenbasis(int factors);

    int factors_;
    Array<float> vectors_;  // column blocks of K rows
};

/// The rotation as numbers: what Eigenbasis(FactorView) takes. O(k²) beside the rotation of k rows.
FactorMatrix images_of(const Eigenbasis& basis, int factors, Environment& environment);

/// True if the features, whose Gram matrix this is, are in its eigenbasis, up to their rounding. O(k²).
bool is_diagonal(const GramMatrix& gram, FactorView features);

/// The same for features that were not rounded to 16 bits, which are elsewhere.
bool is_diagonal(const GramMatrix& gram, int factors);

/// unobserved_weight · gram for features that are in the eigenbasis; nothing for others.
class SharedDiagonal {
  public:
    /// O(k²).
    SharedDiagonal(const GramMatrix& gram, FactorView features, float unobserved_weight);

    bool exists() const { return !values_.empty(); }
    /// FactorMatrix::padded(factors) values, zeros after the first `factors`.
    const float* values() const { return values_.data(); }

  private:
    Array<float> values_;
};

}  // namespace mf
