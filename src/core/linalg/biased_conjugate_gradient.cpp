#include "core/linalg/biased_conjugate_gradient.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/linalg/conjugate_gradient.hpp"

namespace mf {

namespace {

constexpr std::size_t kRows = 1024;  // whose sums are in single precision

// Calls pass(first, count) for the rows [0, n), kRows at a time.
template <class Pass>
void each_pass(std::size_t n, const Pass& pass) {
    for (std::size_t first = 0; first < n; first += kRows) pass(first, std::min(kRows, n - first));
}

}  // namespace

void StepFeatures::copy(FactorView rows, double unit, Environment& environment) {
    constexpr std::size_t kRowsATask = 4096;
    const std::size_t size = rows.stride();
    std::vector<double> parts((rows.rows() + kRowsATask - 1) / kRowsATask * size);
    parallel_ranges(environment, rows.rows(), kRowsATask, [&](std::size_t begin, std::size_t end, int) {
        double* const sums = parts.data() + begin / kRowsATask * size;
        for (std::size_t r = begin; r < end; ++r)
            for (std::size_t f = 0; f < size; ++f) {
                const auto value = static_cast<double>(rows.row(r)[f]);
                sums[f] += value * value;
            }
    });
    std::vector<double> squares(size);
    for (std::size_t i = 0; i < parts.size(); ++i) squares[i % size] += parts[i];

    halves_.copy(rows, *std::max_element(squares.begin(), squares.end()), environment);
    unit_ = static_cast<float>(unit);
    if (mean_squares_.size() != size) mean_squares_ = Array<float>(size);
    const double scale = 1 / (static_cast<double>(std::max<std::size_t>(rows.rows(), 1)) * unit * unit);
    std::transform(squares.begin(), squares.end(), mean_squares_.begin(),
                   [scale](double sum) { return static_cast<float>(sum * scale); });
}

HalfRows StepFeatures::rows() const {
    HalfRows rows = halves_.rows();
    rows.unit /= unit_;
    return rows;
}

std::size_t BiasedConjugateGradient::bytes(int factors) {
    return (5 * FactorMatrix::padded(factors) + kRows) * sizeof(float);
}

BiasedConjugateGradient::BiasedConjugateGradient(int factors)
    : blocks_(FactorMatrix::padded(factors) / kLanes),
      kernels_(kernels()),
      vectors_(5 * blocks_ * kLanes),
      ones_(kRows, 1.0f) {}

BiasedConjugateGradient::Solution BiasedConjugateGradient::improve(const StepFeatures& features,
                                                                   std::span<const std::uint32_t> columns,
                                                                   std::span<const float> targets, const Ridge& ridge,
                                                                   float* factors) {
    const std::size_t size = blocks_ * kLanes;
    float* const inverse = vectors_.data();    // of the preconditioner
    float* const row_sum = inverse + size;     // s
    float* const residual = row_sum + size;    // right-hand side − system · factors
    float* const direction = residual + size;  // of the step
    float* const product = direction + size;   // −system · direction
    const HalfRows rows = features.rows();
    const auto n = static_cast<double>(targets.size());

    double distance = 0;  // |factors − m|²
    for (std::size_t i = 0; i < size; ++i) {
        inverse[i] = 1.0f / (static_cast<float>(n) * features.mean_squares()[i] + ridge.factors);
        const float from_center = factors[i] - (ridge.center != nullptr ? ridge.center[i] : 0.0f);
        distance += static_cast<double>(from_center) * static_cast<double>(from_center);
        residual[i] = -ridge.factors * from_center;
        row_sum[i] = 0.0f;
    }
    double value = static_cast<double>(ridge.factors) * distance;
    double sum = 0;
    each_pass(targets.size(), [&](std::size_t first, std::size_t count) {
        const HalfRowSums sums =
            kernels_.add_half_residuals(rows, columns.data() + first, count, columns.size() - first,
                                        targets.data() + first, blocks_, factors, residual, row_sum);
        sum += static_cast<double>(sums.residuals);
        value += static_cast<double>(sums.squares);
    });
    const double weight = n + ridge.bias;
    double bias = (sum + ridge.bias * ridge.center_bias) / weight;
    value += ridge.bias * ridge.center_bias * ridge.center_bias - weight * bias * bias;
    for (std::size_t i = 0; i < size; ++i) residual[i] -= static_cast<float>(bias) * row_sum[i];

    float last_gain = 0;
    for (int step = 0; step < kSteps; ++step) {
        for (std::size_t i = 0; i < size; ++i) product[i] = inverse[i] * residual[i];
        const float gain = kernels_.dot(residual, product, blocks_);
        if (gain <=
            std::max(ConjugateGradient::kTolerance * static_cast<float>(value), std::numeric_limits<float>::min()))
            break;
        const float keep = step == 0 ? 0.0f : gain / last_gain;
        for (std::size_t i = 0; i < size; ++i) direction[i] = step == 0 ? product[i] : product[i] + keep * direction[i];
        last_gain = gain;

        const float share = kernels_.dot(row_sum, direction, blocks_) / static_cast<float>(weight);
        for (std::size_t i = 0; i < size; ++i) product[i] = share * row_sum[i] - ridge.factors * direction[i];
        each_pass(targets.size(), [&](std::size_t first, std::size_t count) {
            kernels_.add_half_rows(rows, columns.data() + first, count, columns.size() - first, ones_.data(), 0.0f,
                                   blocks_, direction, product);
        });
        const float curvature = -kernels_.dot(direction, product, blocks_);
        const float length = gain / curvature;
        if (!(curvature > 0) || !std::isfinite(length)) return {std::numeric_limits<double>::quiet_NaN(), 0};
        for (std::size_t i = 0; i < size; ++i) {
            factors[i] += length * direction[i];
            residual[i] += length * product[i];
        }
        bias -= static_cast<double>(length) * static_cast<double>(share);
        value -= static_cast<double>(length) * static_cast<double>(gain);
    }
    return {value, bias};
}

}  // namespace mf
