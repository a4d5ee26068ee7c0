#include "core/linalg/bfloat16_matrix.hpp"

#include <algorithm>
#include <cmath>

#include "core/linalg/kernels.hpp"

namespace mf {

double Bfloat16Matrix::bytes(double rows, int factors) {
    return rows * static_cast<double>(bfloat16_words(FactorMatrix::padded(factors) / kLanes)) * sizeof(std::uint32_t);
}

void Bfloat16Matrix::copy(FactorView rows, const GramMatrix& gram, Environment& environment) {
    float largest = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows.factors()); ++i)
        largest = std::max(largest, gram.at(i, i));
    copy(rows, static_cast<double>(largest), environment);
}

void Bfloat16Matrix::copy(FactorView rows, double largest, Environment& environment) {
    const int exponent = largest > 0 ? std::ilogb(std::sqrt(largest)) : 0;
    unit_ = std::ldexp(1.0f, exponent);
    const float scale = std::ldexp(1.0f, -exponent);

    const std::size_t blocks = rows.stride() / kLanes, words = bfloat16_words(blocks);
    const std::size_t size = checked_multiply(rows.rows(), words);
    if (data_.size() < size) {
        data_ = Array<std::uint32_t>();  // not both at a time
        data_ = Array<std::uint32_t>(size);
    }
    constexpr std::size_t kWordsATask = std::size_t{1} << 15;
    const Kernels& kernel = kernels();
    parallel_ranges(environment, rows.rows(), std::max<std::size_t>(kWordsATask / words, 1),
                    [&](std::size_t begin, std::size_t end, int) {
                        kernel.to_bfloat16(rows.row(begin), end - begin, blocks, scale, data_.data() + begin * words);
                    });
}

}  // namespace mf
