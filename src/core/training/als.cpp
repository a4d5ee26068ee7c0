#include "core/training/als.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "core/base/error.hpp"
#include "core/base/sums.hpp"
#include "core/data/value_statistics.hpp"
#include "core/training/als_start.hpp"
#include "core/training/early_stop.hpp"
#include "core/training/factor_init.hpp"
#include "core/training/long_rows.hpp"

namespace mf {

namespace {

AlsParameters rating_parameters(const ValueStatistics& ratings, const AlsOptions& options) {
    AlsParameters parameters;
    parameters.mean = ratings.mean;
    parameters.minimum = ratings.minimum;
    parameters.maximum = ratings.maximum;
    parameters.regularization = options.regularization;
    parameters.exponent = options.regularization_exponent;
    parameters.bias_regularization = options.bias_regularization;
    return parameters;
}

}  // namespace

namespace {

// Adds the entries [first, first + count) of a row: right-hand side 0 is for the targets, 1 for ones. The sums are
// those of the targets and of their squares.
void add_rating_entries(const AlsHalfStep& step, std::span<const std::uint32_t> columns, std::span<const float> values,
                        std::size_t first, std::size_t count, NormalEquations& equations) {
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
            const double target = (static_cast<double>(values[first + j]) - step.parameters.mean -
                                   static_cast<double>(step.feature_bias[columns[first + j]])) *
                                  inverse_unit;
            targets[j] = static_cast<float>(target);
            target_sum += target;
            target_squares += target * target;
        }
        equations.add_rows(step.features, columns.subspan(first), rows, scales);
        equations.add_to_right(0, targets, rows);
        equations.add_to_right(1, ones, rows);
    }
}

ObjectiveParts finish_rating_row(const AlsHalfStep& step, std::size_t n, NormalEquations& equations, float* factors,
                                 float* bias) {
    const AlsParameters& parameters = step.parameters;
    const auto [target_sum, target_squares] = equations.sums();
    const double count_power = std::pow(static_cast<double>(n), parameters.exponent);
    const double ridge = parameters.regularization * count_power;
    const double bias_ridge = parameters.bias_regularization * count_power;
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
            ridge * squared_norm(factors, step.features.factors()) + bias_ridge * own_bias * own_bias};
}

}  // namespace

ObjectiveParts solve_als_row(const AlsHalfStep& step, std::span<const std::uint32_t> columns,
                             std::span<const float> values, NormalEquations& workspace, float* factors, float* bias,
                             Environment* environment) {
    if (values.empty()) {
        std::fill_n(factors, step.features.stride(), 0.0f);
        *bias = 0.0f;
        return {};
    }
    workspace.start(nullptr, 0.0f);
    add_entries(workspace, values.size(), environment,
                [&](NormalEquations& equations, std::size_t first, std::size_t count) {
                    add_rating_entries(step, columns, values, first, count, equations);
                });
    return finish_rating_row(step, values.size(), workspace, factors, bias);
}

namespace {

// Rows of one side: their blocks are cut once.
struct Side {
    const Csr& rows;
    int factors;
    std::vector<RowBlock> blocks = row_blocks(rows, factors);
    std::vector<std::uint32_t> long_rows = mf::long_rows(rows, factors);
};

ObjectiveParts solve_side(const AlsHalfStep& step, const Side& side, std::span<NormalEquations> workspaces,
                          Environment& environment, FactorMatrix& factors, Array<float>& bias) {
    ObjectiveParts parts = solve_long_rows(
        side.rows, side.long_rows, factors.factors(), environment,
        [](NormalEquations& equations) { equations.start(nullptr, 0.0f); },
        [&](NormalEquations& equations, std::uint32_t row, std::size_t first, std::size_t count) {
            add_rating_entries(step, columns_from(side.rows, row), side.rows.row_values(row), first, count, equations);
        },
        [&](NormalEquations& equations, std::uint32_t row) {
            return finish_rating_row(step, side.rows.row_size(row), equations, factors.row(row), &bias[row]);
        });
    const std::size_t longest = piece_entries(factors.factors());
    parts += solve_rows(side.blocks, workspaces, environment, [&](std::uint32_t row, NormalEquations& workspace) {
        if (side.rows.row_size(row) > longest) return ObjectiveParts{};
        return solve_als_row(step, columns_from(side.rows, row), side.rows.row_values(row), workspace, factors.row(row),
                             &bias[row]);
    });
    return parts;
}

ObjectiveParts solve_users(RatingModel& model, const Side& users, std::span<NormalEquations> workspaces,
                           Environment& environment) {
    const AlsHalfStep step{model.items, model.item_bias, model.parameters, 1.0, "user"};
    return solve_side(step, users, workspaces, environment, model.users, model.user_bias);
}

}  // namespace

RatingModel train_als(const Csr& by_user, const Csr& by_item, const AlsOptions& options, Environment& environment,
                      const RatingEvaluation& evaluate, RatingStart* start) {
    RatingModel model;
    const ValueStatistics ratings = value_statistics(by_user.values, environment);
    const double deviation = ratings.deviation;
    model.parameters = rating_parameters(ratings, options);
    model.users = FactorMatrix(by_user.rows(), options.factors, environment);
    model.user_bias = Array<float>(by_user.rows(), 0.0f);
    const Side users{by_user, options.factors};
    const Side items{by_item, options.factors};
    std::vector<NormalEquations> workspaces = make_workspaces(options.factors, environment);
    if (start != nullptr && start->item_bias.size() != by_item.rows())
        throw std::logic_error("the first item biases do not fit the data");
    if (start != nullptr && is_start(start->items, by_item.rows(), options.factors)) {
        model.items = std::move(start->items);
        model.item_bias = std::move(start->item_bias);
        solve_users(model, users, workspaces, environment);
    } else {
        model.items = FactorMatrix(by_item.rows(), options.factors, environment);
        model.item_bias = Array<float>(by_item.rows(), 0.0f);
        start_als(by_user, by_item, deviation, options.seed, environment, model);
    }
    EarlyStop early_stop(/*greater_is_better=*/false);
    // Of the best iteration only the items are kept: the users follow from them, bit for bit.
    FactorMatrix best_items;
    Array<float> best_bias;

    for (int iteration = 1; iteration <= options.iterations; ++iteration) {
        const AlsHalfStep items_step{model.users, model.user_bias, model.parameters, deviation, "item"};
        const ObjectiveParts items_parts =
            solve_side(items_step, items, workspaces, environment, model.items, model.item_bias);
        const ObjectiveParts users_parts = solve_users(model, users, workspaces, environment);
        model.iterations = iteration;

        const double objective = users_parts.fit + items_parts.penalty * deviation * deviation;
        Iteration report{"rating factors", iteration, options.iterations,
                         objective / static_cast<double>(std::max<std::uint64_t>(by_user.entries(), 1)),
                         std::numeric_limits<double>::quiet_NaN()};
        if (evaluate) {
            report.test_metric = evaluate(model);
            if (early_stop.improves(iteration, report.test_metric)) {
                best_items = copy_of(model.items, environment);
                best_bias = copy_of(model.item_bias);
            }
        }
        const bool go_on = !environment.on_iteration || environment.on_iteration(report);
        if (!go_on || (evaluate && early_stop.exhausted())) break;
    }
    if (evaluate && early_stop.best_iteration() != model.iterations) {
        model.items = std::move(best_items);
        model.item_bias = std::move(best_bias);
        model.iterations = early_stop.best_iteration();
        solve_users(model, users, workspaces, environment);
    }
    return model;
}

void solve_users(RatingModel& model, const Csr& by_user, Environment& environment) {
    std::vector<NormalEquations> workspaces = make_workspaces(model.items.factors(), environment);
    solve_users(model, Side{by_user, model.items.factors()}, workspaces, environment);
}

}  // namespace mf
