// Spreads what a vector has in few dimensions over all of them, before it is rounded to 8 bits: factors in the order of
// their variance (eigenbasis.hpp) would otherwise leave most of the codes' range to the first ones.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>

#include "core/linalg/kernels.hpp"

namespace mf {

/// A row of floats, in double precision, times an orthogonal matrix: products of two such rows are those of the rows
/// before. Dimensions as far apart as possible are mixed by Walsh-Hadamard transforms of 16. `stride` is a multiple of
/// 16; out is a row of as many numbers. O(stride).
inline void balance(const float* row, std::size_t stride, Eigen::Ref<Eigen::ArrayXd> out) {
    constexpr Eigen::Index kSize = kLanes, kAtOnce = 8;
    const auto step = static_cast<Eigen::Index>(stride) / kSize;
    for (Eigen::Index first = 0; first < step; first += kAtOnce) {
        const Eigen::Index count = std::min(kAtOnce, step - first);
        // Column i has dimensions from first + i · step on: what is mixed lies in a row.
        using Rows = Eigen::Array<float, Eigen::Dynamic, kSize, Eigen::ColMajor, kAtOnce, kSize>;
        Eigen::Array<double, Eigen::Dynamic, kSize, Eigen::ColMajor, kAtOnce, kSize> mixed =
            Eigen::Map<const Rows, 0, Eigen::OuterStride<>>(row + first, count, kSize, Eigen::OuterStride<>(step))
                .cast<double>() *
            0.25;
        Eigen::Array<double, Eigen::Dynamic, 1, Eigen::ColMajor, kAtOnce, 1> sum(count);
        for (Eigen::Index apart = 1; apart < kSize; apart *= 2)
            for (Eigen::Index i = 0; i < kSize; ++i)
                if ((i & apart) == 0) {
                    sum = mixed.col(i) + mixed.col(i + apart);
                    mixed.col(i + apart) = mixed.col(i) - mixed.col(i + apart);
                    mixed.col(i) = sum;
                }
        for (Eigen::Index r = 0; r < count; ++r) out.segment((first + r) * kSize, kSize) = mixed.row(r).transpose();
    }
}

}  // namespace mf
