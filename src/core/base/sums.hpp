// Sums in double precision of values in single precision.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <span>

namespace mf {

/// Σ f(x_i), in double precision.
template <class F>
double sum_of(std::span<const float> values, const F& f) {
    // Several independent sums, which hide the latency of an addition.
    constexpr std::size_t kSums = 8;
    double sums[kSums] = {};
    std::size_t i = 0;
    for (; i + kSums <= values.size(); i += kSums)
        for (std::size_t j = 0; j < kSums; ++j) sums[j] += static_cast<double>(f(values[i + j]));
    for (; i < values.size(); ++i) sums[0] += static_cast<double>(f(values[i]));
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/// Σ x_i, likewise.
inline double sum_of(std::span<const float> values) {
    return sum_of(values, [](float x) { return x; });
}

/// Σ max(x_i, 0). Of values that are not negative it has the bits of Kernels::sum_of_magnitudes.
inline double sum_of_positives(std::span<const float> values) {
    return sum_of(values, [](float x) { return x > 0 ? x : 0.0f; });
}

/// Σ x_i², in double precision.
template <class Size>
double squared_norm(const float* x, Size size) {
    return Eigen::Map<const Eigen::VectorXf>(x, static_cast<Eigen::Index>(size)).template cast<double>().squaredNorm();
}

/// Σ (x_i − y_i)², in double precision; y may be null: zeros.
template <class Size>
double squared_distance(const float* x, const float* y, Size size) {
    if (y == nullptr) return squared_norm(x, size);
    const auto n = static_cast<Eigen::Index>(size);
    return (Eigen::Map<const Eigen::VectorXf>(x, n).template cast<double>() -
            Eigen::Map<const Eigen::VectorXf>(y, n).template cast<double>())
        .squaredNorm();
}

}  // namespace mf
