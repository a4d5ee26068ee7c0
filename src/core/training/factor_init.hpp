// First factors of a training run: random ones or given ones; copies of factors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>

#include "core/base/parallel.hpp"
#include "core/base/random.hpp"
#include "core/linalg/factor_matrix.hpp"

namespace mf {

/// Standard deviation of the first factors: their dot products are then small against the data (about 0.01 / √k),
/// so that training starts near the model that predicts nothing, yet no direction is missing.
inline double initial_scale(int factors) { return 0.1 / std::sqrt(static_cast<double>(factors)); }

/// Fills one row with normal variates with mean 0, which depend on seed, stream and the row's index in its matrix only.
inline void random_factors(float* row, int factors, double scale, std::uint64_t seed, std::uint64_t stream,
                           std::uint64_t index) {
    Random random(seed, (stream << 32) + index);
    for (int f = 0; f < factors; ++f) row[f] = static_cast<float>(scale * random.normal());
}

/// random_factors() of all rows.
inline void fill_random(FactorMatrix& matrix, double scale, std::uint64_t seed, std::uint64_t stream,
                        Environment& environment) {
    constexpr std::size_t kRows = 256;
    parallel_for(environment, (matrix.rows() + kRows - 1) / kRows, [&](std::size_t block, int) {
        for (std::size_t r = block * kRows; r < std::min(matrix.rows(), (block + 1) * kRows); ++r)
            random_factors(matrix.row(r), matrix.factors(), scale, seed, stream, r);
    });
}

/// True if a training run can begin with these item factors: false if all are zero. Throws std::logic_error if their
/// shape is not the one wanted.
inline bool is_start(const FactorMatrix& items, std::size_t rows, int factors) {
    if (items.rows() != rows || items.factors() != factors)
        throw std::logic_error("the first item factors do not fit the data");
    return !is_zero({items.row(0), rows * items.stride()});
}

inline FactorMatrix copy_of(const FactorMatrix& matrix, Environment& environment) {
    constexpr std::size_t kRowsATask = 4096;
    FactorMatrix copy(matrix.rows(), matrix.factors(), environment);
    parallel_ranges(environment, matrix.rows(), kRowsATask, [&](std::size_t begin, std::size_t end, int) {
        std::copy_n(matrix.row(begin), (end - begin) * matrix.stride(), copy.row(begin));
    });
    return copy;
}

}  // namespace mf
