#include "core/evaluation/rank_codes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mf {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// More than what sums in double precision round off.
constexpr double kUp = 1 + 0x1.0p-40;

/// Beyond all products of codes: rounding adds at most half the root of the number of factors to a norm.
constexpr double kFar = 2.14e9;

/// What the scale of a vector's codes depends on; neither number is too small.
struct Extent {
    double norm = 0;
    double largest = 0;

    Extent() = default;
    Extent(const float* row, std::size_t stride) {
        double squares = 0;
        for (std::size_t j = 0; j < stride; ++j) {
            const double x = static_cast<double>(row[j]);
            squares += x * x;
            largest = std::max(largest, std::fabs(x));
        }
        norm = std::sqrt(squares) * kUp;
    }

    /// For finite vectors.
    double scale() const { return norm > 0 ? std::max(norm / kRankNorm, largest / kRankRange) : 1; }
};

/// Code of x, and the squares of what the code stands for and of the rest.
std::int16_t encode(float x, double scale, double& code_squares, double& error_squares) {
    const double code = std::nearbyint(static_cast<double>(x) / scale);
    const double error = static_cast<double>(x) - scale * code;
    code_squares += scale * code * (scale * code);
    error_squares += error * error;
    return static_cast<std::int16_t>(code);
}

}  // namespace

RankCodes::RankCodes(const ItemIndex& items, Environment& environment)
    : items_(items),
      codes_(checked_multiply((items.items() + kRankPanel - 1) / kRankPanel * kRankPanel, items.stride())),
      blocks_((items.items() + kRankBlock - 1) / kRankBlock) {
    parallel_for(environment, blocks_.size(), [&](std::size_t block, int) { blocks_[block] = encode(block); });
}

RankCodes::Block RankCodes::encode(std::size_t block) {
    const std::size_t begin = block * kRankBlock;
    const std::size_t end = std::min(items_.items(), begin + kRankBlock);
    const std::size_t stride = items_.stride();
    Block result;
    Extent extent;
    for (std::size_t p = begin; p < end; ++p) {
        const Extent item(items_.row_at(p), stride);
        if (!std::isfinite(item.norm)) extent.norm = kInfinity;
        extent.norm = std::max(extent.norm, item.norm);
        extent.largest = std::max(extent.largest, item.largest);
    }
    result.norm = extent.norm;
    std::fill(codes_.begin() + begin * stride,
              codes_.begin() + (end + kRankPanel - 1) / kRankPanel * kRankPanel * stride, std::int16_t{0});
    if (!std::isfinite(result.norm)) return result;
    result.scale = extent.scale();
    for (std::size_t p = begin; p < end; ++p) {
        const float* row = items_.row_at(p);
        std::int16_t* codes = codes_.data() + p / kRankPanel * kRankPanel * stride + p % kRankPanel * 2;
        double code_squares = 0, error_squares = 0;
        for (std::size_t j = 0; j < stride; ++j)
            codes[j / 2 * 2 * kRankPanel + j % 2] = mf::encode(row[j], result.scale, code_squares, error_squares);
        result.code_norm = std::max(result.code_norm, std::sqrt(code_squares) * kUp);
        result.error = std::max(result.error, std::sqrt(error_squares) * kUp);
    }
    return result;
}

RankQuery::RankQuery(const float* query, std::size_t stride, std::int16_t* codes)
    : error_(kInfinity),
      rounding_(static_cast<double>(stride + 8) * 0x1.0p-24),
      underflow_(static_cast<double>(stride) * 0x1.0p-149) {
    const Extent extent(query, stride);
    norm_ = extent.norm;
    std::fill_n(codes, stride, std::int16_t{0});
    if (!std::isfinite(norm_)) return;
    scale_ = extent.scale();
    double code_squares = 0, error_squares = 0;
    for (std::size_t j = 0; j < stride; ++j) codes[j] = encode(query[j], scale_, code_squares, error_squares);
    error_ = std::sqrt(error_squares) * kUp;
}

RankQuery::Limits RankQuery::limits(const RankCodes::Block& block, float score) const {
    // A product in single precision is off by at most the rounding's share of the product of the norms; see top_n.cpp.
    const double margin = error_ * block.code_norm + norm_ * (block.error + rounding_ * block.norm) + underflow_;
    const double unit = block.scale * scale_;
    // One unit more than the rounding of this function itself.
    const double low = std::floor((static_cast<double>(score) - margin) / unit) - 1;
    const double high = std::ceil((static_cast<double>(score) + margin) / unit) + 1;
    // A sum on the way may overflow, whatever the product itself; and what is not a number decides nothing.
    const bool decides = block.norm * norm_ < static_cast<double>(std::numeric_limits<float>::max());
    const auto clamped = [](double x) { return static_cast<std::int32_t>(std::clamp(x, -kFar, kFar)); };
    // A value has other lowest bits than its product: both limits become multiples of what those bits count.
    return {clamped(decides && low > -kFar ? low : -kFar) & ~kRankItemMask,
            (clamped(decides && high < kFar ? high : kFar) + kRankItemMask) & ~kRankItemMask};
}

}  // namespace mf
