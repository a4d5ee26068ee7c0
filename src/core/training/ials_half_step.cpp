#include "core/training/ials_half_step.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/base/error.hpp"
#include "core/base/sums.hpp"
#include "core/linalg/kernels.hpp"

namespace mf {

IalsHalfStep ials_users_step(const GramMatrix& gram, const IalsParameters& parameters) {
    return {
        gram,  static_cast<float>(parameters.unobserved_weight), parameters.regularization, 0.0, parameters.exponent,
        "user"};
}

IalsHalfStep ials_items_step(const GramMatrix& gram, const IalsParameters& parameters, std::uint64_t users) {
    const double unobserved = parameters.unobserved_weight;
    return {gram,
            static_cast<float>(unobserved),
            parameters.item_regularization,
            unobserved * static_cast<double>(users),
            1.0,
            "item"};
}

namespace {

NumericalFailure no_solution(const IalsHalfStep& step, std::size_t n) {
    return NumericalFailure("the equations of the ranking factors of one " + std::string(step.row_name) + " with " +
                                std::to_string(n) + " interactions have no unique solution",
                            {}, "Raise regularization, or rescale the weights if they are very large.");
}

void start_equations(const IalsHalfStep& step, NormalEquations& equations) {
    equations.start(&step.gram, step.unobserved_weight);
}

// Adds the entries [first, first + count) of a row.
void add_row_entries(FactorView features, std::span<const std::uint32_t> columns, std::span<const float> weights,
                     std::size_t first, std::size_t count, NormalEquations& equations) {
    // Rows scaled by √c contribute c·y·yᵀ to the system, and √c times them c·y to the right-hand side, if their target
    // is 1.
    float roots[kPanelRows], targets[kPanelRows];
    for (const std::size_t end = first + count; first < end; first += kPanelRows) {
        const std::size_t rows = std::min(kPanelRows, end - first);
        for (std::size_t j = 0; j < rows; ++j) {
            const float weight = weights[first + j];
            roots[j] = std::sqrt(std::fabs(weight));
            targets[j] = weight < 0 ? 0.0f : roots[j];
        }
        equations.add_rows(features, columns.subspan(first), rows, roots);
        equations.add_right_hand_side(0, targets, rows);
    }
}

// What all ways to solve a row share. fit(ridge) solves it and returns the fit.
template <class Fit>
ObjectiveParts with_ridge(const IalsHalfStep& step, std::span<const float> weights, int factors, const float* center,
                          float* row, const Fit& fit) {
    const double weight_sum = kernels().sum_of_magnitudes(weights.data(), weights.size());
    if (!(weight_sum > 0)) {
        std::fill_n(row, FactorMatrix::padded(factors), 0.0f);
        return {};
    }
    const double ridge = step.ridge_of(weight_sum);
    const double value = fit(static_cast<float>(ridge));
    return {value, ridge * squared_distance(row, center, factors)};
}

ObjectiveParts finish_row(const IalsHalfStep& step, std::span<const float> weights, NormalEquations& equations,
                          const float* center, float* factors) {
    return with_ridge(step, weights, equations.factors(), center, factors, [&](float ridge) {
        double value = sum_of_positives(weights);
        if (center != nullptr) {
            equations.add_to_right_hand_side(0, ridge, center);
            value += static_cast<double>(ridge) * squared_norm(center, equations.factors());
        }
        if (!equations.factorize(ridge)) throw no_solution(step, weights.size());
        equations.solve_lower(0);
        const double explained = equations.product(0, 0);
        equations.solve_upper(0.0f, factors);
        return value - explained;
    });
}

// The fit is NaN where single precision does not suffice.
ObjectiveParts solve_dual_row(const IalsHalfStep& step, FactorView features, std::span<const std::uint32_t> columns,
                              std::span<const float> weights, DualEquations& equations, const float* center,
                              float* factors) {
    return with_ridge(step, weights, features.factors(), center, factors, [&](float ridge) {
        return equations.solve(*step.shared, ridge, features, columns, weights, center, factors)
                   ? equations.value()
                   : std::numeric_limits<double>::quiet_NaN();
    });
}

}  // namespace

ObjectiveParts solve_ials_row(const IalsHalfStep& step, FactorView features, std::span<const std::uint32_t> columns,
                              std::span<const float> weights, IalsWorkspace& workspace, const float* center,
                              float* factors, Environment* environment) {
    if (weights.empty()) {
        std::fill_n(factors, features.stride(), 0.0f);
        return {};
    }
    if (step.shared != nullptr && weights.size() <= DualEquations::longest_row(features.factors())) {
        if (!workspace.dual) workspace.dual.emplace(features.factors());
        const ObjectiveParts parts = solve_dual_row(step, features, columns, weights, *workspace.dual, center, factors);
        workspace.dual_was_last = !std::isnan(parts.fit);
        if (workspace.dual_was_last) return parts;
    }
    workspace.dual_was_last = false;
    start_equations(step, workspace.equations);
    add_entries(workspace.equations, weights.size(), environment,
                [&](NormalEquations& equations, std::size_t first, std::size_t count) {
                    add_row_entries(features, columns, weights, first, count, equations);
                });
    return finish_row(step, weights, workspace.equations, center, factors);
}

void solve_last_system(IalsWorkspace& workspace, float* vector) {
    if (workspace.dual_was_last)
        workspace.dual->solve(vector);
    else
        workspace.equations.solve(vector);
}

namespace {

// Improves one row. The fit is NaN where single precision does not suffice.
ObjectiveParts improve_row(const IalsHalfStep& step, int k, std::span<const std::uint32_t> columns,
                           std::span<const float> weights, ConjugateGradient& workspace, const float* center,
                           float* factors) {
    return with_ridge(step, weights, k, center, factors, [&](float ridge) {
        return workspace.improve(*step.shared, step.rounded->rows(), columns, weights, ridge, center, factors);
    });
}

// Lets the weights and the factors of a row arrive while the row before it is improved.
void prefetch_row(std::span<const float> weights, const float* factors, std::size_t stride) {
    constexpr std::size_t kLine = 64 / sizeof(float), kMost = 64 * kLine;  // of long rows the processor sees the rest
    for (std::size_t i = 0; i < std::min(weights.size(), kMost); i += kLine) __builtin_prefetch(weights.data() + i);
    for (std::size_t i = 0; i < stride; i += kLine) __builtin_prefetch(factors + i);
}

}  // namespace

ObjectiveParts solve_block(const IalsHalfStep& step, CsrView rows, FactorView features, IalsWorkspace& workspace,
                           FactorView centers, MutableFactorView out, Environment* environment) {
    const bool by_steps = step.rounded != nullptr && step.shared != nullptr;
    if (by_steps && !workspace.steps) workspace.steps.emplace(out.factors());
    ObjectiveParts sum;
    for (std::uint32_t row = 0; row < rows.rows(); ++row) {
        const std::span<const std::uint32_t> columns = rows.columns_from(row);
        const std::span<const float> weights = rows.row_values(row);
        const float* const center = center_of(centers, row);
        if (by_steps) {
            if (row + 1 < rows.rows()) prefetch_row(rows.row_values(row + 1), out.row(row + 1), out.stride());
            const ObjectiveParts parts =
                improve_row(step, out.factors(), columns, weights, *workspace.steps, center, out.row(row));
            if (!std::isnan(parts.fit)) {
                sum += parts;
                continue;
            }
        }
        sum += solve_ials_row(step, features, columns, weights, workspace, center, out.row(row), environment);
    }
    return sum;
}

ObjectiveParts solve_long_rows(const IalsHalfStep& step, CsrView rows, std::span<const std::uint32_t> long_rows,
                               FactorView features, FactorView centers, Environment& environment,
                               MutableFactorView out) {
    return solve_in_pieces(
        rows, long_rows, out.factors(), environment,
        [&](NormalEquations& equations) { start_equations(step, equations); },
        [&](NormalEquations& equations, std::uint32_t row, std::size_t first, std::size_t count) {
            add_row_entries(features, rows.columns_from(row), rows.row_values(row), first, count, equations);
        },
        [&](NormalEquations& equations, std::uint32_t row) {
            return finish_row(step, rows.row_values(row), equations, center_of(centers, row), out.row(row));
        });
}

ObjectiveParts solve_rows(const IalsHalfStep& step, CsrView rows, const RowPlan& plan, FactorView features,
                          FactorView centers, std::span<IalsWorkspace> workspaces, Environment& environment,
                          MutableFactorView out) {
    ObjectiveParts parts = solve_long_rows(step, rows, plan.long_rows, features, centers, environment, out);
    parts += solve_blocks(plan.blocks, workspaces, environment, [&](RowBlock block, IalsWorkspace& workspace) {
        return solve_block(step, rows.slice(block.begin, block.end), features, workspace, slice_of(centers, block),
                           out.slice(block.begin, block.end));
    });
    return parts;
}

}  // namespace mf
