#include "core/training/ials.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "core/base/error.hpp"
#include "core/base/sums.hpp"
#include "core/linalg/conjugate_gradient.hpp"
#include "core/training/early_stop.hpp"
#include "core/training/factor_init.hpp"
#include "core/training/long_rows.hpp"

namespace mf {

namespace {

// Streams of Random: one per user row, apart from those of the rating factors.
constexpr std::uint64_t kInitStream = 0x52616e6bu;

}  // namespace

IalsHalfStep users_half_step(FactorView items, const GramMatrix& gram, const IalsParameters& parameters) {
    return {items,
            gram,
            static_cast<float>(parameters.unobserved_weight),
            parameters.regularization,
            0.0,
            parameters.exponent,
            "user"};
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
void add_ranking_entries(const IalsHalfStep& step, std::span<const std::uint32_t> columns,
                         std::span<const float> weights, std::size_t first, std::size_t count,
                         NormalEquations& equations) {
    // Rows scaled by √c contribute c·y·yᵀ to the system, and √c times them c·y to the right-hand side.
    float roots[kPanelRows];
    for (const std::size_t end = first + count; first < end; first += kPanelRows) {
        const std::size_t rows = std::min(kPanelRows, end - first);
        for (std::size_t j = 0; j < rows; ++j) roots[j] = std::sqrt(weights[first + j]);
        equations.add_rows(step.features, columns.subspan(first), rows, roots);
        equations.add_to_right(0, roots, rows);
    }
}

ObjectiveParts finish_ranking_row(const IalsHalfStep& step, std::span<const float> weights, NormalEquations& equations,
                                  float* factors) {
    const double weight_sum = sum_of(weights);
    if (!(weight_sum > 0)) {
        std::fill_n(factors, step.features.stride(), 0.0f);
        return {};
    }
    const double ridge = step.ridge_of(weight_sum);
    if (!equations.factorize(static_cast<float>(ridge))) throw no_solution(step, weights.size());
    equations.solve_lower(0);
    const double explained = equations.product(0, 0);
    equations.solve_upper(0.0f, factors);
    return {weight_sum - explained, ridge * squared_norm(factors, step.features.factors())};
}

}  // namespace

ObjectiveParts solve_ials_row(const IalsHalfStep& step, std::span<const std::uint32_t> columns,
                              std::span<const float> weights, NormalEquations& workspace, float* factors,
                              Environment* environment) {
    if (weights.empty()) {
        std::fill_n(factors, step.features.stride(), 0.0f);
        return {};
    }
    start_equations(step, workspace);
    add_entries(workspace, weights.size(), environment,
                [&](NormalEquations& equations, std::size_t first, std::size_t count) {
                    add_ranking_entries(step, columns, weights, first, count, equations);
                });
    return finish_ranking_row(step, weights, workspace, factors);
}

ObjectiveParts improve_ials_row(const IalsHalfStep& step, const SharedSystem& shared,
                                std::span<const std::uint32_t> columns, std::span<const float> weights,
                                ConjugateGradient& workspace, float* factors) {
    const double weight_sum = sum_of(weights);
    if (!(weight_sum > 0)) {
        std::fill_n(factors, step.features.stride(), 0.0f);
        return {};
    }
    const double ridge = step.ridge_of(weight_sum);
    const double value = workspace.improve(shared, step.features, columns, weights, static_cast<float>(ridge), factors);
    return {value, ridge * squared_norm(factors, step.features.factors())};
}

namespace {

// Rows of one side: their blocks are cut once.
struct Side {
    const Csr& rows;
    std::span<const float> weights;
    int factors;
    std::vector<RowBlock> blocks = row_blocks(rows, factors);
    std::vector<std::uint32_t> long_rows = mf::long_rows(rows, factors);

    bool is_long(std::uint32_t row) const { return rows.row_size(row) > piece_entries(factors); }
    std::span<const float> row_weights(std::uint32_t row) const {
        return weights.subspan(rows.offsets[row], rows.row_size(row));
    }
};

// Scratch of one thread; the steps are for a training by conjugate gradient.
struct Workspace {
    explicit Workspace(int factors) : equations(factors) {}
    NormalEquations equations;
    std::optional<ConjugateGradient> steps;
};

std::vector<Workspace> make_workspaces(int factors, IalsOptions::Solver solver, const Environment& environment) {
    std::vector<Workspace> workspaces;
    workspaces.reserve(static_cast<std::size_t>(environment.threads));
    for (int i = 0; i < environment.threads; ++i) {
        Workspace& workspace = workspaces.emplace_back(factors);
        if (solver == IalsOptions::Solver::ConjugateGradient) workspace.steps.emplace(factors);
    }
    return workspaces;
}

// Rows that are cut into pieces; the other functions leave them out.
ObjectiveParts solve_long(const IalsHalfStep& step, const Side& side, Environment& environment, FactorMatrix& factors) {
    return solve_long_rows(
        side.rows, side.long_rows, factors.factors(), environment,
        [&](NormalEquations& equations) { start_equations(step, equations); },
        [&](NormalEquations& equations, std::uint32_t row, std::size_t first, std::size_t count) {
            add_ranking_entries(step, columns_from(side.rows, row), side.row_weights(row), first, count, equations);
        },
        [&](NormalEquations& equations, std::uint32_t row) {
            return finish_ranking_row(step, side.row_weights(row), equations, factors.row(row));
        });
}

ObjectiveParts solve_exactly(const IalsHalfStep& step, const Side& side, std::span<Workspace> workspaces,
                             Environment& environment, FactorMatrix& factors) {
    ObjectiveParts parts = solve_long(step, side, environment, factors);
    parts += solve_rows(side.blocks, workspaces, environment, [&](std::uint32_t row, Workspace& workspace) {
        if (side.is_long(row)) return ObjectiveParts{};
        return solve_ials_row(step, columns_from(side.rows, row), side.row_weights(row), workspace.equations,
                              factors.row(row));
    });
    return parts;
}

// From the factors of the iteration before by conjugate gradient; exactly where a row is too long for that, and where
// single precision does not suffice, so that there is one place that reports it.
ObjectiveParts improve(const IalsHalfStep& step, const Side& side, double mean_ridge, std::span<Workspace> workspaces,
                       Environment& environment, FactorMatrix& factors) {
    const SharedSystem shared(step.gram, factors.factors(), step.unobserved_weight, static_cast<float>(mean_ridge),
                              environment);
    if (!shared.is_invertible()) return solve_exactly(step, side, workspaces, environment, factors);
    const std::size_t longest = ConjugateGradient::longest_row(factors.factors());
    ObjectiveParts sum = solve_long(step, side, environment, factors);
    sum += solve_rows(side.blocks, workspaces, environment, [&](std::uint32_t row, Workspace& workspace) {
        if (side.is_long(row)) return ObjectiveParts{};
        const std::span<const std::uint32_t> columns = columns_from(side.rows, row);
        const std::span<const float> weights = side.row_weights(row);
        if (weights.size() <= longest) {
            const ObjectiveParts parts =
                improve_ials_row(step, shared, columns, weights, *workspace.steps, factors.row(row));
            if (!std::isnan(parts.fit)) return parts;
        }
        return solve_ials_row(step, columns, weights, workspace.equations, factors.row(row));
    });
    return sum;
}

IalsHalfStep items_half_step(const FactorMatrix& users, const GramMatrix& gram, const IalsTraining& training) {
    const double unobserved = training.parameters.unobserved_weight;
    return {users,
            gram,
            static_cast<float>(unobserved),
            training.item_ridge,
            unobserved * static_cast<double>(users.rows()),
            1.0,
            "item"};
}

ObjectiveParts solve_users(RankingModel& model, const Side& users, std::span<Workspace> workspaces,
                           Environment& environment) {
    const GramMatrix gram(model.items, environment);
    return solve_exactly(users_half_step(model.items, gram, model.parameters), users, workspaces, environment,
                         model.users);
}

}  // namespace

RankingModel train_ials(const Csr& by_user, const Csr& by_item, Feedback feedback, const IalsOptions& options,
                        Environment& environment, const RankingEvaluation& evaluate, RankingStart* start) {
    const IalsTraining training = prepare_ials(by_user, by_item, feedback, options, environment);
    RankingModel model;
    model.parameters = training.parameters;
    model.users = FactorMatrix(by_user.rows(), options.factors, environment);
    const Side users{by_user, training.user_weights, options.factors};
    const Side items{by_item, training.item_weights, options.factors};
    std::vector<Workspace> memory = make_workspaces(options.factors, options.solver, environment);
    const std::span<Workspace> workspaces(memory);
    const bool exact = options.solver == IalsOptions::Solver::Cholesky;

    const auto items_half = [&] {
        const GramMatrix gram(model.users, environment);
        const IalsHalfStep step = items_half_step(model.users, gram, training);
        return exact ? solve_exactly(step, items, workspaces, environment, model.items)
                     : improve(step, items, training.mean_item_ridge, workspaces, environment, model.items);
    };
    const auto users_half = [&](bool exactly) {
        if (exactly) return solve_users(model, users, workspaces, environment);
        const GramMatrix gram(model.items, environment);
        return improve(users_half_step(model.items, gram, model.parameters), users, training.mean_user_ridge,
                       workspaces, environment, model.users);
    };

    if (start != nullptr && is_start(start->items, by_item.rows(), options.factors)) {
        model.items = std::move(start->items);
        users_half(exact);
    } else {
        model.items = FactorMatrix(by_item.rows(), options.factors, environment);
        fill_random(model.users, initial_scale(options.factors), options.seed, kInitStream, environment);
    }

    EarlyStop early_stop(/*greater_is_better=*/true);
    FactorMatrix best_items;  // the users follow from them, bit for bit
    bool users_are_exact = false;
    for (int iteration = 1; iteration <= options.iterations; ++iteration) {
        const ObjectiveParts items_parts = items_half();
        users_are_exact = exact || iteration == options.iterations;
        const ObjectiveParts users_parts = users_half(users_are_exact);
        model.iterations = iteration;

        Iteration report{"ranking factors", iteration, options.iterations,
                         (users_parts.fit + items_parts.penalty) /
                             static_cast<double>(std::max<std::uint64_t>(by_user.entries(), 1)),
                         std::numeric_limits<double>::quiet_NaN()};
        if (evaluate) {
            report.test_metric = evaluate(model);
            if (early_stop.improves(iteration, report.test_metric)) best_items = copy_of(model.items, environment);
        }
        const bool go_on = !environment.on_iteration || environment.on_iteration(report);
        if (!go_on || (evaluate && early_stop.exhausted())) break;
    }
    if (evaluate && early_stop.best_iteration() != model.iterations) {
        model.items = std::move(best_items);
        model.iterations = early_stop.best_iteration();
        users_are_exact = false;
    }
    if (!users_are_exact) users_half(true);
    return model;
}

void solve_users(RankingModel& model, const Csr& by_user, Environment& environment) {
    std::vector<Workspace> workspaces =
        make_workspaces(model.items.factors(), IalsOptions::Solver::Cholesky, environment);
    const Array<float> weights = user_weights(by_user, model.parameters, environment);
    solve_users(model, Side{by_user, weights, model.items.factors()}, workspaces, environment);
}

}  // namespace mf
