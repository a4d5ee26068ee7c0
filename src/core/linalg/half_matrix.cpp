#include "core/linalg/half_matrix.hpp"

#include <algorithm>
#include <cmath>

namespace mf {

double HalfMatrix::bytes(double rows, int factors) {
    return rows * static_cast<double>(FactorMatrix::padded(factors)) * sizeof(std::uint16_t);
}

void HalfMatrix::copy(FactorView rows, const GramMatrix& gram, Environment& environment) {
    float largest = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows.factors()); ++i)
        largest = std::max(largest, gram.at(i, i));
    copy(rows, static_cast<double>(largest), environment);
}

void HalfMatrix::copy(FactorView rows, double largest, Environment& environment) {
    constexpr int kExponent = 14;
    const int exponent = largest > 0 ? std::ilogb(std::sqrt(largest)) - kExponent : 0;
    unit_ = std::ldexp(1.0f, exponent);
    const float scale = std::ldexp(1.0f, -exponent);

    stride_ = rows.stride();
    const std::size_t size = checked_multiply(rows.rows(), stride_);
    if (data_.size() < size) {
        data_ = Array<std::uint16_t>();  // not both at a time
        data_ = Array<std::uint16_t>(size);
    }
    constexpr std::size_t kNumbersATask = std::size_t{1} << 16;
    const Kernels& kernel = kernels();
    parallel_ranges(environment, rows.rows(), std::max<std::size_t>(kNumbersATask / stride_, 1),
                    [&](std::size_t begin, std::size_t end, int) {
                        kernel.to_halves(rows.row(begin), (end - begin) * stride_ / kLanes, scale,
                                         data_.data() + begin * stride_);
                    });
}

}  // namespace mf
