#include "core/training/als_half_step.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/base/error.hpp"
#include "core/base/sums.hpp"

namespace mf {

AlsHalfStep als_users_step(const AlsParameters& parameters, double mean) { return {parameters, mean, 1.0, "user"}; }

AlsHalfStep als_items_step(const AlsParameters& parameters, double mean, double deviation) {
    return {parameters, mean, deviation, "item"};
}

namespace {

// What the factors of a row are to give, in the step's unit.
double target_of(const AlsHalfStep& step, const BiasedFactors& features, std::uint32_t column, float value,
                 double inverse_unit) {
    return (static_cast<double>(value) - step.mean - static_cast<double>(features.bias[column])) * inverse_unit;
}

// Adds the entries [first, first + count) of a row: right-hand side 0 is for the targets, 1 for ones. The sums are
// those of the targets and of their squares.
void add_row_entries(const AlsHalfStep& step, const BiasedFactors& features, std::span<const std::uint32_t> columns,
                     std::span<const float> values, std::size_t first, std::size_t count, NormalEquations& equations) {
    const double inverse_unit = 1.0 / step.unit;
    float scales[kPanelRows];
    float targets[kPanelRows];
    float ones[kPanelRows];
    std::fill_n(scales, kPanelRows, static_cast<float>(inverse_unit));
    std::fill_n(ones, kPanelRows, 1.0f);
    auto& [target_sum, target_squares] = equations.sums();
    for (const std::size_t end = first + count; first < end; first += kPanelRows) {
        const std::size_t rows = std::min(kPanelRows, end - first);
        for (std::size_t j = 0; j < rows; ++j) {
            const double target = target_of(step, features, columns[first + j], values[first + j], inverse_unit);
            targets[j] = static_cast<float>(target);
            target_sum += target;
            target_squares += target * target;
        }
        equations.add_rows(features.factors, columns.subspan(first), rows, scales);
        equations.add_right_hand_side(0, targets, rows);
        equations.add_right_hand_side(1, ones, rows);
    }
}

// The ridges of a row with n entries.
struct RowRidges {
    double factors;
    double bias;

    RowRidges(const AlsParameters& parameters, std::size_t n) {
        const double count_power = std::pow(static_cast<double>(n), parameters.exponent);
        factors = parameters.regularization * count_power;
        bias = parameters.bias_regularization * count_power;
    }

    double penalty(const float* row, const float* center, int k, double own_bias, double center_bias) const {
        return factors * squared_distance(row, center, k) + bias * (own_bias - center_bias) * (own_bias - center_bias);
    }
};

ObjectiveParts finish_row(const AlsHalfStep& step, std::size_t n, NormalEquations& equations,
                          const BiasedCenter& center, float* factors, float* bias) {
    auto [target_sum, target_squares] = equations.sums();
    const RowRidges ridges(step.parameters, n);
    const double ridge = ridges.factors;
    const double bias_ridge = ridges.bias;
    const double center_bias = static_cast<double>(center.bias) / step.unit;
    if (center.factors != nullptr) {
        equations.add_to_right_hand_side(0, static_cast<float>(ridge), center.factors);
        target_sum += bias_ridge * center_bias;
        target_squares +=
            ridge * squared_norm(center.factors, equations.factors()) + bias_ridge * center_bias * center_bias;
    }
    bool solved = equations.factorize(static_cast<float>(ridge));
    double denominator = 0;
    double explained = 0;
    if (solved) {
        equations.solve_lower(0);
        equations.solve_lower(1);
        explained = equations.product(0, 0);
        denominator = static_cast<double>(n) + bias_ridge - equations.product(1, 1);
        // What remains of n must have correct digits, as with the pivots.
        solved = denominator > static_cast<double>(n) * 0x1.0p-22;
    }
    if (!solved)
        throw NumericalFailure("the equations of the rating factors of one " + std::string(step.row_name) + " with " +
                                   std::to_string(n) + " ratings have no unique solution",
                               {}, "Raise regularization, or rescale the ratings if they are very large.");
    const double own_bias = (target_sum - equations.product(0, 1)) / denominator;
    equations.solve_upper(static_cast<float>(own_bias), factors);
    *bias = static_cast<float>(own_bias * step.unit);
    return {target_squares - explained - own_bias * own_bias * denominator,
            ridges.penalty(factors, center.factors, equations.factors(), own_bias, center_bias)};
}

}  // namespace

ObjectiveParts solve_als_row(const AlsHalfStep& step, const BiasedFactors& features,
                             std::span<const std::uint32_t> columns, std::span<const float> values,
                             NormalEquations& workspace, const BiasedCenter& center, float* factors, float* bias,
                             Environment* environment) {
    if (values.empty()) {
        std::fill_n(factors, features.factors.stride(), 0.0f);
        *bias = 0.0f;
        return {};
    }
    workspace.start(nullptr, 0.0f);
    add_entries(workspace, values.size(), environment,
                [&](NormalEquations& equations, std::size_t first, std::size_t count) {
                    add_row_entries(step, features, columns, values, first, count, equations);
                });
    return finish_row(step, values.size(), workspace, center, factors, bias);
}

namespace {

// Improves one row with entries. The fit is NaN where single precision does not suffice.
ObjectiveParts improve_row(const AlsHalfStep& step, const BiasedFactors& features,
                           std::span<const std::uint32_t> columns, std::span<const float> values,
                           AlsWorkspace& workspace, const BiasedCenter& center, int k, float* factors, float* bias) {
    std::vector<float>& targets = workspace.targets;
    targets.resize(values.size());
    const double inverse_unit = 1.0 / step.unit;
    float largest = 0;
    for (std::size_t j = 0; j < values.size(); ++j) {
        targets[j] = static_cast<float>(target_of(step, features, columns[j], values[j], inverse_unit));
        largest = std::max(largest, std::fabs(targets[j]));
    }
    // Squares of others may leave the range of single precision.
    if (!(largest > 1e-9f && largest < 1e9f)) return {std::numeric_limits<double>::quiet_NaN(), 0};
    const RowRidges ridges(step.parameters, values.size());
    const double center_bias = static_cast<double>(center.bias) / step.unit;
    const auto solution = workspace.steps->improve(
        *step.steps, columns, targets, {static_cast<float>(ridges.factors), ridges.bias, center.factors, center_bias},
        factors);
    *bias = static_cast<float>(solution.bias * step.unit);
    return {solution.value, ridges.penalty(factors, center.factors, k, solution.bias, center_bias)};
}

}  // namespace

ObjectiveParts solve_block(const AlsHalfStep& step, CsrView rows, const BiasedFactors& features,
                           AlsWorkspace& workspace, const BiasedFactors& centers, MutableFactorView out,
                           std::span<float> out_bias, Environment* environment) {
    if (step.steps != nullptr && !workspace.steps) workspace.steps.emplace(out.factors());
    ObjectiveParts sum;
    for (std::uint32_t row = 0; row < rows.rows(); ++row) {
        const std::span<const std::uint32_t> columns = rows.columns_from(row);
        const std::span<const float> values = rows.row_values(row);
        const BiasedCenter center = centers.center(row);
        if (step.steps != nullptr && !values.empty()) {
            const ObjectiveParts parts = improve_row(step, features, columns, values, workspace, center, out.factors(),
                                                     out.row(row), &out_bias[row]);
            if (!std::isnan(parts.fit)) {
                sum += parts;
                continue;
            }
        }
        sum += solve_als_row(step, features, columns, values, workspace.equations, center, out.row(row), &out_bias[row],
                             environment);
    }
    return sum;
}

ObjectiveParts solve_long_rows(const AlsHalfStep& step, CsrView rows, std::span<const std::uint32_t> long_rows,
                               const BiasedFactors& features, const BiasedFactors& centers, Environment& environment,
                               MutableFactorView out, std::span<float> out_bias) {
    return solve_in_pieces(
        rows, long_rows, out.factors(), environment, [](NormalEquations& equations) { equations.start(nullptr, 0.0f); },
        [&](NormalEquations& equations, std::uint32_t row, std::size_t first, std::size_t count) {
            add_row_entries(step, features, rows.columns_from(row), rows.row_values(row), first, count, equations);
        },
        [&](NormalEquations& equations, std::uint32_t row) {
            return finish_row(step, rows.row_size(row), equations, centers.center(row), out.row(row), &out_bias[row]);
        });
}

ObjectiveParts solve_rows(const AlsHalfStep& step, CsrView rows, const RowPlan& plan, const BiasedFactors& features,
                          const BiasedFactors& centers, std::span<AlsWorkspace> workspaces, Environment& environment,
                          MutableFactorView out, std::span<float> out_bias) {
    ObjectiveParts parts = solve_long_rows(step, rows, plan.long_rows, features, centers, environment, out, out_bias);
    parts += solve_blocks(plan.blocks, workspaces, environment, [&](RowBlock block, AlsWorkspace& workspace) {
        return solve_block(step, rows.slice(block.begin, block.end), features, workspace,
                           centers.slice(block.begin, block.end), out.slice(block.begin, block.end),
                           out_bias.subspan(block.begin, block.end - block.begin));
    });
    return parts;
}

}  // namespace mf
