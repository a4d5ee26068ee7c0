#include "core/linalg/conjugate_gradient.hpp"

#include <algorithm>

#include "core/linalg/conjugate_gradient_steps.hpp"

namespace mf {

std::size_t ConjugateGradient::bytes(int factors) { return 5 * FactorMatrix::padded(factors) * sizeof(float); }

ConjugateGradient::ConjugateGradient(int factors)
    : blocks_(FactorMatrix::padded(factors) / kLanes), kernels_(kernels()), vectors_(5 * blocks_ * kLanes) {}

double ConjugateGradient::add_rows(const Bfloat16Rows& features, std::span<const std::uint32_t> columns,
                                   std::span<const float> weights, float target, const float* vector,
                                   float* sum) const {
    constexpr std::size_t kRows = 1024;  // whose squares are summed in single precision
    double squares = 0;
    for (std::size_t first = 0; first < weights.size(); first += kRows)
        squares += static_cast<double>(
            kernels_.add_bfloat16_rows(features, columns.data() + first, std::min(kRows, weights.size() - first),
                                       columns.size() - first, weights.data() + first, target, blocks_, vector, sum));
    return squares;
}

double ConjugateGradient::improve(const SharedDiagonal& shared, const Bfloat16Rows& features,
                                  std::span<const std::uint32_t> columns, std::span<const float> weights, float ridge,
                                  const float* center, float* factors) {
    const std::size_t size = blocks_ * kLanes;
    float* const diagonal = vectors_.data();   // D
    float* const inverse = diagonal + size;    // D⁻¹
    float* const residual = inverse + size;    // right-hand side − system · factors
    float* const direction = residual + size;  // of the step
    float* const product = direction + size;   // −YᵀY · direction, then −system · direction

    // The least-squares problem is the sum of the squared row residuals plus factors · D factors, and with a center
    // ridge · (center · center − 2 center · factors) more.
    kernels_.add_ridge(shared.values(), ridge, blocks_, diagonal, inverse);
    kernels_.multiply_elements(-1.0f, diagonal, factors, blocks_, residual);
    double value = -static_cast<double>(kernels_.dot(factors, residual, blocks_));
    if (center != nullptr) {
        value += static_cast<double>(ridge) * (static_cast<double>(kernels_.dot(center, center, blocks_)) -
                                               2 * static_cast<double>(kernels_.dot(center, factors, blocks_)));
        kernels_.add_scaled(ridge, center, blocks_, residual);
    }
    value += add_rows(features, columns, weights, 1.0f, factors, residual);

    const auto multiply = [&] {
        kernels_.multiply_elements(-1.0f, diagonal, direction, blocks_, product);
        add_rows(features, columns, weights, 0.0f, direction, product);
    };
    return take_steps(kernels_, {blocks_, inverse, residual, direction, product}, kSteps, value, factors, multiply,
                      [](float) {});
}

}  // namespace mf
