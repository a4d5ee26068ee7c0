#include "core/linalg/conjugate_gradient.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mf {

std::size_t ConjugateGradient::kept_rows(int factors) {
    constexpr std::size_t kFloats = (std::size_t{1} << 20) / sizeof(float);
    return std::max(kPanelRows, kFloats / FactorMatrix::padded(factors) / kPanelRows * kPanelRows);
}

std::size_t ConjugateGradient::panel_floats(int factors) {
    return (kept_rows(factors) / kPanelRows + 1) * panel_size(FactorMatrix::padded(factors) / kLanes);
}

std::size_t ConjugateGradient::bytes(int factors) {
    return (panel_floats(factors) + 5 * FactorMatrix::padded(factors)) * sizeof(float);
}

ConjugateGradient::ConjugateGradient(int factors)
    : blocks_(FactorMatrix::padded(factors) / kLanes),
      kept_(kept_rows(factors)),
      kernels_(kernels()),
      panels_(panel_floats(factors), 0.0f),
      vectors_(5 * blocks_ * kLanes) {}

float* ConjugateGradient::gather(FactorView features, std::span<const std::uint32_t> columns,
                                 std::span<const float> weights, std::size_t first, std::size_t count, float* roots) {
    for (std::size_t t = 0; t < count; ++t) roots[t] = std::sqrt(weights[first + t]);
    float* const rows = panel(std::min(first, kept_));
    kernels_.gather(features.row(0), features.stride(), columns.data() + first, count, columns.size() - first, roots,
                    blocks_, rows);
    return rows;
}

double ConjugateGradient::improve(const SharedDiagonal& shared, FactorView features,
                                  std::span<const std::uint32_t> columns, std::span<const float> weights, float ridge,
                                  const float* center, float* factors) {
    const std::size_t size = blocks_ * kLanes;
    const std::size_t n = weights.size();
    float* const diagonal = vectors_.data();   // D
    float* const inverse = diagonal + size;    // D⁻¹
    float* const residual = inverse + size;    // right-hand side − system · factors
    float* const direction = residual + size;  // of the step
    float* const product = direction + size;   // −YᵀY · direction, then −system · direction
    alignas(64) float roots[kPanelRows];
    alignas(64) float row_residuals[kPanelRows];  // what the rows leave of their targets
    constexpr float kZeros[kPanelRows] = {};

    // The least-squares problem is the sum of the squared row residuals plus factors · D factors, and with a center
    // ridge · (center · center − 2 center · factors) more.
    for (std::size_t i = 0; i < size; ++i) {
        diagonal[i] = shared.values()[i] + ridge;
        inverse[i] = 1.0f / diagonal[i];
        residual[i] = -diagonal[i] * factors[i];
    }
    double value = -static_cast<double>(kernels_.dot(factors, residual, blocks_));
    if (center != nullptr) {
        value += static_cast<double>(ridge) * (static_cast<double>(kernels_.dot(center, center, blocks_)) -
                                               2 * static_cast<double>(kernels_.dot(center, factors, blocks_)));
        for (std::size_t i = 0; i < size; ++i) residual[i] += ridge * center[i];
    }
    for (std::size_t first = 0; first < n; first += kPanelRows) {
        const std::size_t count = std::min(kPanelRows, n - first);
        float* const rows = gather(features, columns, weights, first, count, roots);
        kernels_.subtract_products(rows, count, blocks_, factors, roots, row_residuals);
        value += static_cast<double>(kernels_.dot(row_residuals, row_residuals, (count + kLanes - 1) / kLanes));
        kernels_.add_combination(rows, count, blocks_, row_residuals, residual);
    }

    float last_gain = 0;
    for (int step = 0; step < kSteps; ++step) {
        for (std::size_t i = 0; i < size; ++i) product[i] = inverse[i] * residual[i];
        const float gain = kernels_.dot(residual, product, blocks_);  // if D is the system; in any case near
        if (gain <= std::max(kTolerance * static_cast<float>(value), std::numeric_limits<float>::min())) break;
        const float keep = step == 0 ? 0.0f : gain / last_gain;
        for (std::size_t i = 0; i < size; ++i) direction[i] = step == 0 ? product[i] : product[i] + keep * direction[i];
        last_gain = gain;

        for (std::size_t i = 0; i < size; ++i) product[i] = -diagonal[i] * direction[i];
        for (std::size_t first = 0; first < n; first += kPanelRows) {
            const std::size_t count = std::min(kPanelRows, n - first);
            float* const rows = first < kept_ ? panel(first) : gather(features, columns, weights, first, count, roots);
            kernels_.subtract_products(rows, count, blocks_, direction, kZeros, row_residuals);
            kernels_.add_combination(rows, count, blocks_, row_residuals, product);
        }
        const float curvature = -kernels_.dot(direction, product, blocks_);
        const float length = gain / curvature;
        if (!(curvature > 0) || !std::isfinite(length)) return std::numeric_limits<double>::quiet_NaN();
        for (std::size_t i = 0; i < size; ++i) {
            factors[i] += length * direction[i];
            residual[i] += length * product[i];
        }
        value -= static_cast<double>(length) * static_cast<double>(gain);
    }
    return value;
}

}  // namespace mf
