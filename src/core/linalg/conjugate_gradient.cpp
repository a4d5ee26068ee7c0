#include "core/linalg/conjugate_gradient.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>

namespace mf {

SymmetricMatrix::SymmetricMatrix(std::size_t blocks)
    : blocks_(blocks),
      kernels_(kernels()),
      data_((blocks * kLanes + kPanelRows - 1) / kPanelRows * panel_size(blocks), 0.0f) {}

void SymmetricMatrix::add_product(const float* vector, float* out) const {
    const std::size_t size = blocks_ * kLanes;
    const float* panel = data_.data();
    for (std::size_t first = 0; first < size; first += kPanelRows, panel += panel_size(blocks_))
        kernels_.add_combination(panel, std::min(kPanelRows, size - first), blocks_, vector + first, out);
}

SharedSystem::SharedSystem(const GramMatrix& gram, int factors, float unobserved_weight, float mean_ridge,
                           Environment& environment)
    : gram_(FactorMatrix::padded(factors) / kLanes), inverse_(FactorMatrix::padded(factors) / kLanes) {
    const std::size_t blocks = FactorMatrix::padded(factors) / kLanes;
    for (std::size_t i = 0; i < blocks * kLanes; ++i)
        for (std::size_t j = 0; j < blocks * kLanes; ++j)
            gram_.row(i, j / kLanes)[j % kLanes] = unobserved_weight * gram.at(i, j);

    const Eigen::Index k = factors;
    Eigen::MatrixXf system = Eigen::MatrixXf::NullaryExpr(k, k, [&](Eigen::Index i, Eigen::Index j) {
        return unobserved_weight * gram.at(static_cast<std::size_t>(i), static_cast<std::size_t>(j));
    });
    system.diagonal().array() += mean_ridge;
    const Eigen::LLT<Eigen::MatrixXf> cholesky(system);
    // No pivot may be rounding alone.
    invertible_ = cholesky.info() == Eigen::Success &&
                  (cholesky.matrixLLT().diagonal().array().square() > 0x1.0p-22f * system.diagonal().array()).all();
    if (!invertible_) return;
    parallel_ranges(
        environment, static_cast<std::size_t>(factors), kLanes, [&](std::size_t begin, std::size_t end, int) {
            const Eigen::MatrixXf rows = cholesky.solve(Eigen::MatrixXf::Identity(k, k).middleCols(
                static_cast<Eigen::Index>(begin), static_cast<Eigen::Index>(end - begin)));
            for (std::size_t i = begin; i < end; ++i)
                for (Eigen::Index j = 0; j < k; ++j)
                    inverse_.row(i, static_cast<std::size_t>(j) / kLanes)[static_cast<std::size_t>(j) % kLanes] =
                        rows(j, static_cast<Eigen::Index>(i - begin));
        });
}

std::size_t ConjugateGradient::longest_row(int factors) {
    constexpr std::size_t kFloats = (std::size_t{512} << 10) / sizeof(float);
    return std::max(kPanelRows, kFloats / FactorMatrix::padded(factors) / kPanelRows * kPanelRows);
}

ConjugateGradient::ConjugateGradient(int factors)
    : blocks_(FactorMatrix::padded(factors) / kLanes),
      kernels_(kernels()),
      panels_(longest_row(factors) / kPanelRows * panel_size(blocks_), 0.0f),
      vectors_(4 * blocks_ * kLanes) {}

double ConjugateGradient::improve(const SharedSystem& shared, FactorView features,
                                  std::span<const std::uint32_t> columns, std::span<const float> weights, float ridge,
                                  float* factors) {
    const std::size_t size = blocks_ * kLanes;
    const std::size_t n = weights.size();
    float* const residual = vectors_.data();       // right-hand side − system · factors
    float* const direction = residual + size;      // of the step
    float* const product = direction + size;       // −YᵀY · direction, then −system · direction
    float* const shared_product = product + size;  // M⁻¹ · residual, or a₀G times something
    alignas(64) float roots[kPanelRows];
    alignas(64) float row_residuals[kPanelRows];  // what the rows leave of their targets
    constexpr float kZeros[kPanelRows] = {};

    // The least-squares problem is the sum of the squared row residuals plus factors · (a₀G + ridge) factors.
    double value = 0;
    std::fill_n(shared_product, size, 0.0f);
    shared.gram().add_product(factors, shared_product);
    for (std::size_t i = 0; i < size; ++i) {
        shared_product[i] += ridge * factors[i];
        residual[i] = -shared_product[i];
    }
    value += static_cast<double>(kernels_.dot(factors, shared_product, blocks_));
    for (std::size_t first = 0; first < n; first += kPanelRows) {
        const std::size_t count = std::min(kPanelRows, n - first);
        for (std::size_t t = 0; t < count; ++t) roots[t] = std::sqrt(weights[first + t]);
        kernels_.gather(features.row(0), features.stride(), columns.data() + first, count, columns.size() - first,
                        roots, blocks_, panel(first));
        kernels_.subtract_products(panel(first), count, blocks_, factors, roots, row_residuals);
        value += static_cast<double>(kernels_.dot(row_residuals, row_residuals, (count + kLanes - 1) / kLanes));
        kernels_.add_combination(panel(first), count, blocks_, row_residuals, residual);
    }

    float last_gain = 0;
    for (int step = 0; step < kSteps; ++step) {
        std::fill_n(shared_product, size, 0.0f);
        shared.inverse().add_product(residual, shared_product);
        const float gain = kernels_.dot(residual, shared_product, blocks_);  // if M is the system; in any case near
        if (gain <= kTolerance * static_cast<float>(value)) break;
        if (step == 0) {
            std::copy_n(shared_product, size, direction);
        } else {
            const float keep = gain / last_gain;
            for (std::size_t i = 0; i < size; ++i) direction[i] = shared_product[i] + keep * direction[i];
        }
        last_gain = gain;

        std::fill_n(product, size, 0.0f);
        for (std::size_t first = 0; first < n; first += kPanelRows) {
            const std::size_t count = std::min(kPanelRows, n - first);
            kernels_.subtract_products(panel(first), count, blocks_, direction, kZeros, row_residuals);
            kernels_.add_combination(panel(first), count, blocks_, row_residuals, product);
        }
        std::fill_n(shared_product, size, 0.0f);
        shared.gram().add_product(direction, shared_product);
        for (std::size_t i = 0; i < size; ++i) product[i] -= shared_product[i] + ridge * direction[i];
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
