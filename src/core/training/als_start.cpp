#include "core/training/als_start.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

#include "core/training/factor_init.hpp"
#include "core/training/residual_product.hpp"

namespace mf {

namespace {

// E_ui is divided by (n_u n_i)^kBalance. Near factors of zero it would be half the exponent of the ridge; less is
// better, with exponents of 0.5 and 0.75 by 0.0001 to 0.0025 in RMSE, with 1 by more.
constexpr double kBalance = 0.175;

double power(std::size_t n, double exponent) { return n == 0 ? 0.0 : std::pow(static_cast<double>(n), exponent); }

constexpr std::size_t kRowsAtATime = 256;

// Calls body(rows [begin, end)) for all rows of a matrix, on all threads.
template <class Body>
void for_row_ranges(std::size_t rows, Environment& environment, const Body& body) {
    parallel_ranges(environment, rows, kRowsAtATime, [&](std::size_t begin, std::size_t end, int) {
        body(static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end));
    });
}

void scale_row(float* row, std::size_t stride, double scale) {
    const auto factor = static_cast<float>(scale);
    for (std::size_t f = 0; f < stride; ++f) row[f] *= factor;
}

using Rows = Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, 0, Eigen::OuterStride<>>;

// The rows of a matrix, without the padding.
Rows rows_of(MutableFactorView matrix) {
    return {matrix.row(0), static_cast<Eigen::Index>(matrix.rows()), matrix.factors(),
            Eigen::OuterStride<>(static_cast<Eigen::Index>(matrix.stride()))};
}

double sum_of_squares(FactorMatrix& matrix, Environment& environment) {
    std::vector<double> parts((matrix.rows() + kRowsAtATime - 1) / kRowsAtATime);
    for_row_ranges(matrix.rows(), environment, [&](std::uint32_t begin, std::uint32_t end) {
        parts[begin / kRowsAtATime] = rows_of(matrix.slice(begin, end)).cast<double>().squaredNorm();
    });
    return std::accumulate(parts.begin(), parts.end(), 0.0);
}

}  // namespace

void start_biases(CsrView rows, const AlsParameters& parameters, double mean, std::span<const float> column_bias,
                  std::span<float> bias) {
    for (std::uint32_t row = 0; row < rows.rows(); ++row) {
        const auto columns = rows.row_columns(row);
        const auto values = rows.row_values(row);
        double sum = 0;
        for (std::size_t j = 0; j < values.size(); ++j)
            sum += static_cast<double>(values[j]) - mean - static_cast<double>(column_bias[columns[j]]);
        const double ridge = parameters.bias_regularization * power(values.size(), parameters.exponent);
        bias[row] = values.empty() ? 0.0f : static_cast<float>(sum / (static_cast<double>(values.size()) + ridge));
    }
}

void start_balance(CsrView by_item, MutableFactorView items) {
    for (std::uint32_t row = 0; row < by_item.rows(); ++row)
        scale_row(items.row(row), items.stride(), power(by_item.row_size(row), -kBalance));
}

// With D the numbers of ratings, the user matrix holds D_u^(−kBalance) times the factors of the range finder, as it
// is with factors that least squares give; likewise the item matrix where it is multiplied.
void start_users(const ResidualProduct& product, const Residuals& users, FactorView items, Environment& environment,
                 FactorMatrix& out) {
    product.compute(users, -2 * kBalance, items, environment, out);
}

void start_items(const ResidualProduct& product, const Residuals& items, FactorView users, Environment& environment,
                 FactorMatrix& out) {
    product.compute(items, -kBalance, users, environment, out);
}

StartBasis::StartBasis(const GramMatrix& gram, int factors) {
    Eigen::MatrixXd system = Eigen::MatrixXd::NullaryExpr(factors, factors, [&](Eigen::Index i, Eigen::Index j) {
        return static_cast<double>(gram.at(static_cast<std::size_t>(i), static_cast<std::size_t>(j)));
    });
    // The ridge, in the order of the rounding, is for columns that depend on the others, as some do where there are
    // more factors than rows: what is left of them stays short.
    system.diagonal().array() += 1e-6 * system.trace();
    const Eigen::LLT<Eigen::MatrixXd> cholesky(system);
    if (cholesky.info() == Eigen::Success) lower_ = cholesky.matrixLLT().cast<float>();
}

void StartBasis::apply(CsrView by_item, MutableFactorView items) const {
    if (lower_.size() > 0 && items.rows() > 0) {
        auto columns = rows_of(items).transpose();
        lower_.triangularView<Eigen::Lower>().solveInPlace(columns);
    }
    start_balance(by_item, items);
}

float start_scale(double squares, std::uint64_t users, int factors, double deviation) {
    const double wanted = initial_scale(factors) * std::sqrt(static_cast<double>(factors)) * deviation;
    const double length = std::sqrt(squares / static_cast<double>(users));
    const auto scale = static_cast<float>(wanted / length);
    return length > 0 && std::isfinite(length) && scale > 0 && std::isfinite(scale) ? scale : 0.0f;
}

void start_als(const Csr& by_user, const Csr& by_item, const AlsParameters& parameters, double deviation,
               std::uint64_t seed, Environment& environment, RatingModel& model) {
    const int factors = model.users.factors();
    const double mean = model.scale.mean;
    const ResidualProduct of_users(by_user, factors);
    const ResidualProduct of_items(by_item, factors);
    const auto set_biases = [&](CsrView rows, std::span<const float> column_bias, std::span<float> bias) {
        for_row_ranges(rows.rows(), environment, [&](std::uint32_t begin, std::uint32_t end) {
            start_biases(rows.slice(begin, end), parameters, mean, column_bias, bias.subspan(begin, end - begin));
        });
    };
    set_biases(by_item, model.user_bias, model.item_bias);
    set_biases(by_user, model.item_bias, model.user_bias);

    const Residuals user_rows{by_user, mean, deviation, model.user_bias, model.item_bias};
    const Residuals item_rows{by_item, mean, deviation, model.item_bias, model.user_bias};
    const CsrView items(by_item);
    fill_random(model.items, 1.0, seed, kAlsStartStream, environment);
    for_row_ranges(by_item.rows(), environment, [&](std::uint32_t begin, std::uint32_t end) {
        start_balance(items.slice(begin, end), model.items.slice(begin, end));
    });
    start_users(of_users, user_rows, model.items, environment, model.users);
    for (int pass = 0; pass < kAlsStartPasses; ++pass) {
        start_items(of_items, item_rows, model.users, environment, model.items);
        const StartBasis basis(GramMatrix(model.items, environment), factors);
        for_row_ranges(by_item.rows(), environment, [&](std::uint32_t begin, std::uint32_t end) {
            basis.apply(items.slice(begin, end), model.items.slice(begin, end));
        });
        start_users(of_users, user_rows, model.items, environment, model.users);
    }

    const float scale = start_scale(sum_of_squares(model.users, environment), by_user.rows(), factors, deviation);
    if (scale == 0) {
        fill_random(model.users, initial_scale(factors) * deviation, seed, kAlsStartStream, environment);
        std::fill(model.user_bias.begin(), model.user_bias.end(), 0.0f);
        return;
    }
    for_row_ranges(by_user.rows(), environment, [&](std::uint32_t begin, std::uint32_t end) {
        for (std::uint32_t row = begin; row < end; ++row) scale_row(model.users.row(row), model.users.stride(), scale);
    });
}

}  // namespace mf
