#include "core/linalg/dual_equations.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mf {

namespace {

std::size_t panels_of(std::size_t blocks) { return (blocks * kLanes + kPanelRows - 1) / kPanelRows; }
std::size_t most_row_blocks(int factors) { return (DualEquations::longest_row(factors) + kLanes - 1) / kLanes; }

}  // namespace

std::size_t DualEquations::longest_row(int factors) { return static_cast<std::size_t>(factors) * 3 / 4; }

DualEquations::DualEquations(int factors)
    : factors_(static_cast<std::size_t>(factors)),
      blocks_(FactorMatrix::padded(factors) / kLanes),
      kernels_(kernels()),
      panels_(panels_of(blocks_) * panel_size(most_row_blocks(factors))),
      system_(system_size(most_row_blocks(factors))),
      scales_(blocks_ * kLanes, 0.0f),
      roots_(most_row_blocks(factors) * kLanes),
      right_(most_row_blocks(factors) * kLanes),
      product_(blocks_ * kLanes) {}

std::size_t DualEquations::bytes(int factors) {
    const std::size_t blocks = FactorMatrix::padded(factors) / kLanes;
    const std::size_t rows = most_row_blocks(factors);
    return (panels_of(blocks) * panel_size(rows) + system_size(rows) + 2 * blocks * kLanes + 2 * rows * kLanes) *
           sizeof(float);
}

bool DualEquations::solve(const SharedDiagonal& shared, float ridge, FactorView features,
                          std::span<const std::uint32_t> columns, std::span<const float> weights, const float* center,
                          float* factors) {
    const std::size_t size = blocks_ * kLanes;
    const std::size_t n = weights.size();
    row_blocks_ = (n + kLanes - 1) / kLanes;
    float least = std::numeric_limits<float>::infinity(), greatest = 0;
    for (std::size_t i = 0; i < factors_; ++i) {
        const float diagonal = shared.values()[i] + ridge;
        least = std::min(least, diagonal);
        greatest = std::max(greatest, diagonal);
        scales_[i] = 1.0f / std::sqrt(diagonal);
    }
    // What is smaller may be rounding alone.
    if (!(least > kPivotTolerance * greatest)) return false;
    for (std::size_t j = 0; j < n; ++j) roots_[j] = std::sqrt(std::fabs(weights[j]));
    std::fill(roots_.begin() + n, roots_.begin() + row_blocks_ * kLanes, 0.0f);
    kernels_.gather_columns(features.row(0), features.stride(), columns.data(), n, columns.size(), roots_.data(),
                            scales_.data(), blocks_, panels_.data());

    const std::size_t stride = system_stride(row_blocks_);
    for (std::size_t b = 0; b < row_blocks_; ++b) std::fill_n(system_.data() + b * stride, (b + 1) * kTile, 0.0f);
    for (std::size_t first = 0; first < size; first += kPanelRows)
        kernels_.add_outer_products(panel(first), std::min(kPanelRows, size - first), row_blocks_, system_.data(), {});
    for (std::size_t j = 0; j < row_blocks_ * kLanes; ++j)
        system_[j / kLanes * stride + j * kLanes + j % kLanes] += 1.0f;
    if (!kernels_.factorize(system_.data(), row_blocks_, kPivotTolerance)) return false;
    std::copy_n(roots_.data(), row_blocks_ * kLanes, right_.data());
    for (std::size_t j = 0; j < n; ++j)
        if (weights[j] < 0) right_[j] = 0;
    std::fill_n(product_.data(), size, 0.0f);
    double value_of_center = 0;
    if (center != nullptr) {
        // x = D⁻¹ ridge·center + what the entries add to that, whose targets are less by what they are there.
        double drawn = 0, moved = 0;
        for (std::size_t i = 0; i < size; ++i) {
            product_[i] = -ridge * center[i] * scales_[i];
            drawn += static_cast<double>(center[i]) * static_cast<double>(center[i]);
            moved += static_cast<double>(product_[i]) * static_cast<double>(product_[i]);
        }
        value_of_center = static_cast<double>(ridge) * drawn - moved;
        for (std::size_t first = 0; first < size; first += kPanelRows)
            kernels_.add_combination(panel(first), std::min(kPanelRows, size - first), row_blocks_,
                                     product_.data() + first, right_.data());
    }
    kernels_.solve_lower(system_.data(), row_blocks_, right_.data());
    value_ = value_of_center;
    for (std::size_t j = 0; j < n; ++j) value_ += static_cast<double>(right_[j]) * static_cast<double>(right_[j]);
    kernels_.solve_upper(system_.data(), row_blocks_, right_.data());

    subtract_combination(factors);
    for (std::size_t i = 0; i < size; ++i) factors[i] *= -scales_[i];
    return true;
}

// vector = product − Zᵀ · right.
void DualEquations::subtract_combination(float* vector) {
    const std::size_t size = blocks_ * kLanes;
    for (std::size_t first = 0; first < size; first += kPanelRows)
        kernels_.subtract_products(panel(first), std::min(kPanelRows, size - first), row_blocks_, right_.data(),
                                   product_.data() + first, vector + first);
}

void DualEquations::solve(float* vector) {
    // D^(−½) (I − Zᵀ (I + Z Zᵀ)⁻¹ Z) D^(−½)
    const std::size_t size = blocks_ * kLanes;
    for (std::size_t i = 0; i < size; ++i) product_[i] = vector[i] * scales_[i];
    std::fill_n(right_.data(), row_blocks_ * kLanes, 0.0f);
    for (std::size_t first = 0; first < size; first += kPanelRows)
        kernels_.add_combination(panel(first), std::min(kPanelRows, size - first), row_blocks_, product_.data() + first,
                                 right_.data());
    kernels_.solve_lower(system_.data(), row_blocks_, right_.data());
    kernels_.solve_upper(system_.data(), row_blocks_, right_.data());
    subtract_combination(vector);
    for (std::size_t i = 0; i < size; ++i) vector[i] *= scales_[i];
}

}  // namespace mf
