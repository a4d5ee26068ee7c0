#include "core/linalg/biased_conjugate_gradient.hpp"

#include <Eigen/Core>
#include <algorithm>

#include "core/linalg/conjugate_gradient_steps.hpp"

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
    const auto size = static_cast<Eigen::Index>(rows.stride());
    const std::size_t tasks = std::max<std::size_t>((rows.rows() + kRowsATask - 1) / kRowsATask, 1);
    Eigen::ArrayXXd squares = Eigen::ArrayXXd::Zero(size, static_cast<Eigen::Index>(tasks));
    parallel_ranges(environment, rows.rows(), kRowsATask, [&](std::size_t begin, std::size_t end, int) {
        auto sums = squares.col(static_cast<Eigen::Index>(begin / kRowsATask));
        for (std::size_t r = begin; r < end; ++r)
            sums += Eigen::Map<const Eigen::ArrayXf>(rows.row(r), size).cast<double>().square();
    });
    const Eigen::ArrayXd sums = squares.rowwise().sum();

    rounded_.copy(rows, sums.maxCoeff(), environment);
    unit_ = static_cast<float>(unit);
    if (mean_squares_.size() != rows.stride()) mean_squares_ = Array<float>(rows.stride());
    const double scale = 1 / (static_cast<double>(std::max<std::size_t>(rows.rows(), 1)) * unit * unit);
    Eigen::Map<Eigen::ArrayXf>(mean_squares_.data(), size) = (sums * scale).cast<float>();
}

Bfloat16Rows StepFeatures::rows() const {
    Bfloat16Rows rows = rounded_.rows();
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
    const Bfloat16Rows rows = features.rows();
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
        const Bfloat16Sums sums =
            kernels_.add_bfloat16_residuals(rows, columns.data() + first, count, columns.size() - first,
                                            targets.data() + first, blocks_, factors, residual, row_sum);
        sum += static_cast<double>(sums.residuals);
        value += static_cast<double>(sums.squares);
    });
    const double weight = n + ridge.bias;
    double bias = (sum + ridge.bias * ridge.center_bias) / weight;
    value += ridge.bias * ridge.center_bias * ridge.center_bias - weight * bias * bias;
    kernels_.add_scaled(-static_cast<float>(bias), row_sum, blocks_, residual);

    float share = 0;  // s · direction / (n + λ_b): by so much a step of length 1 lowers the bias
    const auto multiply = [&] {
        share = kernels_.dot(row_sum, direction, blocks_) / static_cast<float>(weight);
        for (std::size_t i = 0; i < size; ++i) product[i] = -ridge.factors * direction[i];
        kernels_.add_scaled(share, row_sum, blocks_, product);
        each_pass(targets.size(), [&](std::size_t first, std::size_t count) {
            kernels_.add_bfloat16_rows(rows, columns.data() + first, count, columns.size() - first, ones_.data(), 0.0f,
                                       blocks_, direction, product);
        });
    };
    value = take_steps(kernels_, {blocks_, inverse, residual, direction, product}, kSteps, value, factors, multiply,
                       [&](float length) { bias -= static_cast<double>(length) * static_cast<double>(share); });
    return {value, bias};
}

}  // namespace mf
