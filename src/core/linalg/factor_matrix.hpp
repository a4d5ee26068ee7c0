// Rows of factors, as one block of memory that the kernels read.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "core/base/array.hpp"
#include "core/base/parallel.hpp"

namespace mf {

/// Zeros tell nothing: alternating least squares never leaves them, and a user who has them likes nothing in
/// particular.
inline bool is_zero(std::span<const float> factors) {
    return std::ranges::all_of(factors, [](float factor) { return factor == 0.0f; });
}

/// Read access to rows laid out as a FactorMatrix, wherever they lie.
class FactorView {
  public:
    FactorView() = default;
    /// data is aligned to 64 bytes.
    FactorView(const float* data, std::size_t rows, int factors) : data_(data), rows_(rows), factors_(factors) {}

    std::size_t rows() const { return rows_; }
    int factors() const { return factors_; }
    std::size_t stride() const { return (static_cast<std::size_t>(factors_) + 15) / 16 * 16; }
    const float* row(std::size_t r) const { return data_ + r * stride(); }
    /// Rows [begin, end).
    FactorView slice(std::size_t begin, std::size_t end) const { return {row(begin), end - begin, factors_}; }

  private:
    const float* data_ = nullptr;
    std::size_t rows_ = 0;
    int factors_ = 0;
};

/// Write access to rows laid out as a FactorMatrix.
class MutableFactorView {
  public:
    MutableFactorView(float* data, std::size_t rows, int factors) : data_(data), rows_(rows), factors_(factors) {}

    std::size_t rows() const { return rows_; }
    int factors() const { return factors_; }
    std::size_t stride() const { return FactorView(*this).stride(); }
    float* row(std::size_t r) const { return data_ + r * stride(); }
    /// Rows [begin, end).
    MutableFactorView slice(std::size_t begin, std::size_t end) const { return {row(begin), end - begin, factors_}; }
    operator FactorView() const { return {data_, rows_, factors_}; }

  private:
    float* data_;
    std::size_t rows_;
    int factors_;
};

/// rows × factors, row-major, each row padded with zeros to a multiple of 16 floats and aligned to 64 bytes.
class FactorMatrix {
  public:
    FactorMatrix() = default;
    FactorMatrix(std::size_t rows, int factors)
        : rows_(rows),
          factors_(factors),
          stride_(padded(factors)),
          data_(checked_multiply(rows, padded(factors)), 0.0f) {}

    /// The same on all threads and with checkpoints: the system takes seconds to hand out tens of gigabytes.
    FactorMatrix(std::size_t rows, int factors, Environment& environment)
        : rows_(rows), factors_(factors), stride_(padded(factors)), data_(checked_multiply(rows, padded(factors))) {
        constexpr std::size_t kFloatsATask = std::size_t{1} << 22;
        parallel_ranges(environment, data_.size(), kFloatsATask, [this](std::size_t begin, std::size_t end, int) {
            std::fill(data_.begin() + begin, data_.begin() + end, 0.0f);
        });
    }

    /// Floats from one row to the next.
    static std::size_t padded(int factors) { return (static_cast<std::size_t>(factors) + 15) / 16 * 16; }

    std::size_t rows() const { return rows_; }
    int factors() const { return factors_; }
    std::size_t stride() const { return stride_; }
    float* row(std::size_t r) { return data_.data() + r * stride_; }
    const float* row(std::size_t r) const { return data_.data() + r * stride_; }
    operator FactorView() const { return {data_.data(), rows_, factors_}; }
    operator MutableFactorView() { return {data_.data(), rows_, factors_}; }
    /// Rows [begin, end).
    MutableFactorView slice(std::size_t begin, std::size_t end) { return {row(begin), end - begin, factors_}; }

  private:
    std::size_t rows_ = 0;
    int factors_ = 0;
    std::size_t stride_ = 0;
    Array<float> data_;
};

}  // namespace mf
