#include "core/training/als_start.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "core/base/sums.hpp"
#include "core/linalg/normal_equations.hpp"
#include "core/training/factor_init.hpp"
#include "core/training/half_step.hpp"
#include "core/training/residual_product.hpp"

namespace mf {

namespace {

// Streams of Random: one per row, apart from those of the ranking factors.
constexpr std::uint64_t kInitStream = 0x52617465u;

// Products with Eᵀ and E after the first one, with E. RMSE after four iterations against that of eight from random
// factors, means over seeds, MovieLens small and anime ratings: with 64 factors, for 2 passes −0.0003 and −0.0007, for
// 3 −0.0004 and −0.0011; with 16 factors, for 2 0.0000 and +0.0002, for 3 −0.0009 and −0.0008.
constexpr int kPasses = 3;

// E_ui is divided by (n_u n_i)^kBalance. Near factors of zero it would be half the exponent of the ridge; less is
// better, with exponents of 0.5 and 0.75 by 0.0001 to 0.0025 in RMSE, with 1 by more.
constexpr double kBalance = 0.175;

double power(std::size_t n, double exponent) { return n == 0 ? 0.0 : std::pow(static_cast<double>(n), exponent); }

// The biases of one side as the objective has them without factors, given those of the other side.
void set_biases(const Csr& rows, std::span<const RowBlock> blocks, const AlsParameters& parameters,
                std::span<const float> column_bias, Environment& environment, Array<float>& bias) {
    parallel_for(environment, blocks.size(), [&](std::size_t b, int) {
        for (std::uint32_t row = blocks[b].begin; row < blocks[b].end; ++row) {
            const auto columns = rows.row_columns(row);
            const auto values = rows.row_values(row);
            double sum = 0;
            for (std::size_t j = 0; j < values.size(); ++j)
                sum += static_cast<double>(values[j]) - parameters.mean - static_cast<double>(column_bias[columns[j]]);
            const double ridge = parameters.bias_regularization * power(values.size(), parameters.exponent);
            bias[row] = values.empty() ? 0.0f : static_cast<float>(sum / (static_cast<double>(values.size()) + ridge));
        }
    });
}

constexpr std::size_t kRowsAtATime = 256;

// Row r times scale(r).
template <class Scale>
void scale_rows(FactorMatrix& matrix, Environment& environment, const Scale& scale) {
    parallel_ranges(environment, matrix.rows(), kRowsAtATime, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t row = begin; row < end; ++row) {
            const auto factor = static_cast<float>(scale(row));
            for (std::size_t f = 0; f < matrix.stride(); ++f) matrix.row(row)[f] *= factor;
        }
    });
}

// Makes the columns orthonormal by the Cholesky factor of their Gram matrix. The ridge, in the order of the rounding,
// is for columns that depend on the others, as some do where there are more factors than rows: what is left of them
// stays short.
void orthonormalize(FactorMatrix& matrix, Environment& environment) {
    const GramMatrix gram(matrix, environment);
    float trace = 0;
    for (std::size_t f = 0; f < static_cast<std::size_t>(matrix.factors()); ++f) trace += gram.at(f, f);
    NormalEquations equations(matrix.factors());
    equations.start(&gram, 1.0f);
    if (!equations.factorize(1e-6f * trace)) return;
    parallel_ranges(environment, matrix.rows(), kRowsAtATime, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t row = begin; row < end; ++row) equations.solve_lower(matrix.row(row));
    });
}

// Root mean square of the rows' lengths.
double mean_length(const FactorMatrix& matrix, Environment& environment) {
    std::vector<double> parts((matrix.rows() + kRowsAtATime - 1) / kRowsAtATime);
    parallel_ranges(environment, matrix.rows(), kRowsAtATime, [&](std::size_t begin, std::size_t end, int) {
        double sum = 0;
        for (std::size_t row = begin; row < end; ++row) sum += squared_norm(matrix.row(row), matrix.factors());
        parts[begin / kRowsAtATime] = sum;
    });
    double sum = 0;
    for (const double part : parts) sum += part;
    return std::sqrt(sum / static_cast<double>(matrix.rows()));
}

}  // namespace

void start_als(const Csr& by_user, const Csr& by_item, double deviation, std::uint64_t seed, Environment& environment,
               RatingModel& model) {
    const int factors = model.users.factors();
    const AlsParameters& parameters = model.parameters;
    const ResidualProduct of_users(by_user, factors);
    const ResidualProduct of_items(by_item, factors);
    set_biases(by_item, of_items.blocks(), parameters, model.user_bias, environment, model.item_bias);
    set_biases(by_user, of_users.blocks(), parameters, model.item_bias, environment, model.user_bias);

    // With D the numbers of ratings, the user matrix holds D_u^(−kBalance) times the factors of the range finder, as it
    // is with factors that least squares give; likewise the item matrix where it is multiplied.
    const Residuals user_rows{by_user, parameters.mean, deviation, model.user_bias, model.item_bias};
    const Residuals item_rows{by_item, parameters.mean, deviation, model.item_bias, model.user_bias};
    const auto multiply_items = [&] {
        scale_rows(model.items, environment, [&](std::size_t row) {
            return power(by_item.row_size(static_cast<std::uint32_t>(row)), -kBalance);
        });
        of_users.compute(user_rows, -2 * kBalance, model.items, environment, model.users);
    };
    fill_random(model.items, 1.0, seed, kInitStream, environment);
    multiply_items();
    for (int pass = 0; pass < kPasses; ++pass) {
        of_items.compute(item_rows, -kBalance, model.users, environment, model.items);
        orthonormalize(model.items, environment);
        multiply_items();
    }

    const double wanted = initial_scale(factors) * std::sqrt(static_cast<double>(factors)) * deviation;
    const double length = mean_length(model.users, environment);
    const auto scale = static_cast<float>(wanted / length);
    if (!(length > 0) || !std::isfinite(length) || !(scale > 0) || !std::isfinite(scale)) {
        fill_random(model.users, initial_scale(factors) * deviation, seed, kInitStream, environment);
        std::fill(model.user_bias.begin(), model.user_bias.end(), 0.0f);
        return;
    }
    scale_rows(model.users, environment, [&](std::size_t) { return scale; });
}

}  // namespace mf
