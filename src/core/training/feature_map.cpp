#include "core/training/feature_map.hpp"

#include <Eigen/Core>
#include <utility>

namespace mf {

namespace {

constexpr std::size_t kRowsATask = 64;

using Row = Eigen::Map<Eigen::ArrayXf, Eigen::Aligned64>;
using ConstRow = Eigen::Map<const Eigen::ArrayXf, Eigen::Aligned64>;

ConstRow row_of(const FactorView& matrix, std::size_t r) {
    return {matrix.row(r), static_cast<Eigen::Index>(matrix.stride())};
}
Row row_to(MutableFactorView matrix, std::size_t r) {
    return {matrix.row(r), static_cast<Eigen::Index>(matrix.stride())};
}

/// Calls body(row) for every row on all threads.
template <class Body>
void for_rows(std::size_t rows, Environment& environment, const Body& body) {
    parallel_ranges(environment, rows, kRowsATask, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t r = begin; r < end; ++r) body(static_cast<std::uint32_t>(r));
    });
}

/// Σ_r scale(r) · a(r, c) · b(r, c) for every column c, in double precision: sums of blocks of rows, in order.
template <class Scale>
Eigen::ArrayXd column_products(const FactorView& a, const FactorView& b, const Scale& scale, Environment& environment) {
    constexpr std::size_t kRows = 1024;
    const auto columns = static_cast<Eigen::Index>(a.stride());
    std::vector<Eigen::ArrayXd> parts((a.rows() + kRows - 1) / kRows);
    parallel_ranges(environment, a.rows(), kRows, [&](std::size_t begin, std::size_t end, int) {
        Eigen::ArrayXd sum = Eigen::ArrayXd::Zero(columns);
        for (std::size_t r = begin; r < end; ++r)
            sum += (scale(r) * row_of(a, r) * row_of(b, r)).template cast<double>();
        parts[begin / kRows] = std::move(sum);
    });
    Eigen::ArrayXd total = Eigen::ArrayXd::Zero(columns);
    for (const Eigen::ArrayXd& part : parts) total += part;
    return total;
}

/// Row r of out = Σ_f features(r, f) · row f of the map.
void multiply(const Csr& features, const FactorView& map, MutableFactorView out, Environment& environment) {
    for_rows(features.rows(), environment,
             [&](std::uint32_t r) { expected_row(features.row_columns(r), features.row_values(r), map, out.row(r)); });
}

/// The system of the regression.
class Regression {
  public:
    Regression(const SideFeatures& features, const std::vector<bool>& has_factors, double ridge, int factors,
               Environment& environment)
        : features_(features),
          has_factors_(has_factors),
          ridge_(static_cast<float>(ridge)),
          products_(features.by_row.rows(), factors, environment),
          environment_(environment) {}

    /// The inverse of the diagonal.
    std::vector<float> preconditioner() const {
        std::vector<float> inverse(features_.count());
        for_rows(inverse.size(), environment_, [&](std::uint32_t f) {
            double sum = static_cast<double>(ridge_);
            each_known(f, [&](std::uint32_t, float value) { sum += static_cast<double>(value * value); });
            inverse[f] = static_cast<float>(1 / sum);
        });
        return inverse;
    }

    /// out = Gᵀ · factors
    void right_hand_side(const FactorView& factors, MutableFactorView out) const { multiply_back(factors, out); }

    /// out = Gᵀ · (G · map) + ρ · map
    void apply(const FactorView& map, MutableFactorView out) {
        multiply(features_.by_row, map, products_, environment_);
        multiply_back(products_, out);
        for_rows(map.rows(), environment_, [&](std::uint32_t f) { row_to(out, f) += ridge_ * row_of(map, f); });
    }

  private:
    template <class Body>
    void each_known(std::uint32_t feature, const Body& body) const {
        const auto rows = features_.by_feature.row_columns(feature);
        const auto values = features_.by_feature.row_values(feature);
        for (std::size_t j = 0; j < rows.size(); ++j)
            if (has_factors_[rows[j]]) body(rows[j], values[j]);
    }

    void multiply_back(const FactorView& rows, MutableFactorView out) const {
        for_rows(features_.count(), environment_, [&](std::uint32_t f) {
            Row sum = row_to(out, f);
            sum.setZero();
            each_known(f, [&](std::uint32_t r, float value) { sum += value * row_of(rows, r); });
        });
    }

    const SideFeatures& features_;
    const std::vector<bool>& has_factors_;
    float ridge_;
    FactorMatrix products_;
    Environment& environment_;
};

}  // namespace

FactorMatrix fit_feature_map(const SideFeatures& features, FactorView factors, const std::vector<bool>& has_factors,
                             double ridge, int steps, Environment& environment) {
    // What is below this share of its first value has converged, in every column.
    constexpr double kTolerance = 1e-10;
    const int k = factors.factors();
    const std::size_t count = features.count();
    Regression regression(features, has_factors, ridge, k, environment);
    const std::vector<float> inverse = regression.preconditioner();
    FactorMatrix map(count, k, environment), residual(count, k, environment), direction(count, k, environment),
        image(count, k, environment);
    regression.right_hand_side(factors, residual);

    const auto by_inverse = [&](std::size_t f) { return inverse[f]; };
    const auto as_it_is = [](std::size_t) { return 1.0f; };
    Eigen::ArrayXd gain = column_products(residual, residual, by_inverse, environment);
    const Eigen::ArrayXd first_gain = gain;
    Eigen::ArrayXf keep = Eigen::ArrayXf::Zero(gain.size());
    for (int step = 0; step < steps && (gain > kTolerance * first_gain).any(); ++step) {
        for_rows(count, environment, [&](std::uint32_t f) {
            row_to(direction, f) = inverse[f] * row_of(residual, f) + keep * row_of(direction, f);
        });
        regression.apply(direction, image);
        const Eigen::ArrayXd curvature = column_products(direction, image, as_it_is, environment);
        const Eigen::ArrayXf length = (curvature > 0).select(gain / curvature, 0.0).cast<float>();
        for_rows(count, environment, [&](std::uint32_t f) {
            row_to(map, f) += length * row_of(direction, f);
            row_to(residual, f) -= length * row_of(image, f);
        });
        const Eigen::ArrayXd next = column_products(residual, residual, by_inverse, environment);
        keep = (gain > 0).select(next / gain, 0.0).cast<float>();
        gain = next;
    }
    return map;
}

void expected_row(std::span<const std::uint32_t> features, std::span<const float> values, FactorView map, float* out) {
    Row sum(out, static_cast<Eigen::Index>(map.stride()));
    sum.setZero();
    for (std::size_t j = 0; j < features.size(); ++j) sum += values[j] * row_of(map, features[j]);
}

FactorMatrix expected_factors(const Csr& features, FactorView map, Environment& environment) {
    FactorMatrix result(features.rows(), map.factors(), environment);
    multiply(features, map, result, environment);
    return result;
}

SplitFactors split_bias(FactorView joined, Environment& environment) {
    const int factors = joined.factors() - 1;
    SplitFactors result{FactorMatrix(joined.rows(), factors, environment), Array<float>(joined.rows())};
    for (std::size_t r = 0; r < joined.rows(); ++r)
        result.bias[r] = split_bias(joined.row(r), factors, result.factors.row(r));
    return result;
}

double feature_bytes(std::uint64_t items, std::uint64_t features, std::uint64_t entries, int factors,
                     Feedback feedback) {
    // The matrix in both forms, with the intercept and the values as they were read; the map with what its regression
    // takes. Of an item, which may have no interactions, the stored factors of each kind; and, with biases, the joined
    // factors and the products of the regression, or what is expected with the biases and without; without biases one
    // of both.
    const auto rows = static_cast<double>(items), columns = static_cast<double>(features) + 1;
    const double row_bytes = 4 * static_cast<double>(FactorMatrix::padded(factors + 1));
    return 24 * (static_cast<double>(entries) + rows) + 24 * (rows + columns) + 5 * columns * row_bytes +
           (feedback == Feedback::Explicit ? 4 : 3) * rows * row_bytes;
}

}  // namespace mf
