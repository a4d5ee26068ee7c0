// Spreads what a vector has in few dimensions over all of them, before it is rounded to 8 bits: factors in the order of
// their variance (eigenbasis.hpp) would otherwise leave most of the codes' range to the first ones.
#pragma once

#include <cstddef>
#include <vector>

#include "core/linalg/kernels.hpp"

namespace mf {

/// A row of floats, in double precision, times an orthogonal matrix: products of two such rows are those of the rows
/// before. Dimensions as far apart as possible are mixed by Walsh-Hadamard transforms of 16. `stride` is a multiple of
/// 16. O(stride).
inline void balance(const float* row, std::size_t stride, std::vector<double>& out) {
    const std::size_t step = stride / kLanes;
    out.resize(stride);
    for (std::size_t first = 0; first < step; ++first) {
        double values[kLanes];
        for (std::size_t i = 0; i < kLanes; ++i) values[i] = 0.25 * static_cast<double>(row[first + i * step]);
        for (std::size_t apart = 1; apart < kLanes; apart *= 2)
            for (std::size_t i = 0; i < kLanes; ++i)
                if ((i & apart) == 0) {
                    const double sum = values[i] + values[i + apart];
                    values[i + apart] = values[i] - values[i + apart];
                    values[i] = sum;
                }
        for (std::size_t i = 0; i < kLanes; ++i) out[first * kLanes + i] = values[i];
    }
}

}  // namespace mf
