#include "core/linalg/normal_equations.hpp"

#include <algorithm>

namespace mf {

NormalEquations::NormalEquations(int factors)
    : factors_(factors),
      blocks_(FactorMatrix::padded(factors) / kLanes),
      kernels_(kernels()),
      system_(system_size(blocks_)),
      panel_(panel_size(blocks_)),
      right_(2 * blocks_ * kLanes) {}

std::size_t NormalEquations::bytes(int factors) {
    const std::size_t blocks = FactorMatrix::padded(factors) / kLanes;
    return (system_size(blocks) + panel_size(blocks) + 2 * blocks * kLanes) * sizeof(float);
}

void NormalEquations::start(const GramMatrix* gram, float gram_weight) {
    const std::size_t stride = system_stride(blocks_);
    for (std::size_t b = 0; b < blocks_; ++b) {
        float* column = system_.data() + b * stride;
        const std::size_t used = (b + 1) * kLanes * kLanes;
        if (gram == nullptr) {
            std::fill_n(column, used, 0.0f);
        } else {
            const float* from = gram->data() + b * stride;
            for (std::size_t i = 0; i < used; ++i) column[i] = gram_weight * from[i];
        }
    }
    std::fill(right_.begin(), right_.end(), 0.0f);
    sums_ = {};
}

void NormalEquations::add_rows(FactorView features, std::span<const std::uint32_t> columns, std::size_t count,
                               const float* scales) {
    kernels_.gather(features.row(0), features.stride(), columns.data(), count, columns.size(), scales, blocks_,
                    panel_.data());
    const std::span<const std::uint32_t> after = columns.subspan(count);
    const NextRows next{features.row(0), features.stride(), after.data(), std::min(after.size(), kPanelRows)};
    kernels_.add_outer_products(panel_.data(), count, blocks_, system_.data(), next);
}

void NormalEquations::add_right_hand_side(int side, const float* coefficients, std::size_t count) {
    kernels_.add_combination(panel_.data(), count, blocks_, coefficients,
                             right_.data() + static_cast<std::size_t>(side) * blocks_ * kLanes);
}

NormalEquations& NormalEquations::operator+=(const NormalEquations& other) {
    const std::size_t stride = system_stride(blocks_);
    for (std::size_t b = 0; b < blocks_; ++b) {
        float* column = system_.data() + b * stride;
        const float* from = other.system_.data() + b * stride;
        for (std::size_t i = 0; i < (b + 1) * kLanes * kLanes; ++i) column[i] += from[i];
    }
    for (std::size_t i = 0; i < right_.size(); ++i) right_[i] += other.right_[i];
    for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += other.sums_[i];
    return *this;
}

void NormalEquations::add_to_right_hand_side(int side, float factor, const float* vector) {
    const std::size_t size = blocks_ * kLanes;
    float* right = right_.data() + static_cast<std::size_t>(side) * size;
    for (std::size_t i = 0; i < size; ++i) right[i] += factor * vector[i];
}

NormalEquations& NormalEquations::part() {
    if (!part_) part_ = std::make_unique<NormalEquations>(factors_);
    return *part_;
}

bool NormalEquations::factorize(float ridge) {
    const std::size_t stride = system_stride(blocks_);
    for (std::size_t i = 0; i < blocks_ * kLanes; ++i) {
        float& diagonal = system_[i / kLanes * stride + i * kLanes + i % kLanes];
        diagonal = i < static_cast<std::size_t>(factors_) ? diagonal + ridge : 1.0f;
    }
    return kernels_.factorize(system_.data(), blocks_, kPivotTolerance);
}

void NormalEquations::solve_lower(int side) {
    kernels_.solve_lower(system_.data(), blocks_, right_.data() + static_cast<std::size_t>(side) * blocks_ * kLanes);
}

void NormalEquations::solve_upper(float factor, float* factors) {
    const std::size_t size = blocks_ * kLanes;
    const float* first = right_.data();
    const float* second = first + size;
    if (factor == 0.0f)  // no second right-hand side, or nothing of it
        std::copy_n(first, size, factors);
    else
        for (std::size_t i = 0; i < size; ++i) factors[i] = first[i] - factor * second[i];
    kernels_.solve_upper(system_.data(), blocks_, factors);
}

void NormalEquations::solve(float* vector) const {
    kernels_.solve_lower(system_.data(), blocks_, vector);
    kernels_.solve_upper(system_.data(), blocks_, vector);
}

double NormalEquations::product(int a, int b) const {
    const std::size_t size = blocks_ * kLanes;
    const float* x = right_.data() + static_cast<std::size_t>(a) * size;
    const float* y = right_.data() + static_cast<std::size_t>(b) * size;
    double sums[4] = {0, 0, 0, 0};  // several sums under way: an addition's latency is longer than its work
    for (std::size_t i = 0; i < size; i += 4)
        for (std::size_t j = 0; j < 4; ++j) sums[j] += static_cast<double>(x[i + j]) * static_cast<double>(y[i + j]);
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace mf
