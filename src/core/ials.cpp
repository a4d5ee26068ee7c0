#include "core/ials.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/error.hpp"
#include "core/factor_init.hpp"

namespace mf {

namespace {

// Streams of Random: one per user row, apart from those of the rating factors.
constexpr std::uint64_t kInitStream = 0x52616e6bu;

}  // namespace

RankingHalfStep users_half_step(const FactorMatrix& items, const GramMatrix& gram,
                                const RankingParameters& parameters) {
    return {items,
            gram,
            static_cast<float>(parameters.unobserved_weight),
            parameters.regularization,
            0.0,
            parameters.exponent,
            "user"};
}

ObjectiveParts solve_ranking_row(const RankingHalfStep& step, std::span<const std::uint32_t> columns,
                                 std::span<const float> weights, NormalEquations& workspace, float* factors) {
    const std::size_t n = weights.size();
    double weight_sum = 0;
    for (const float weight : weights) weight_sum += static_cast<double>(weight);
    if (!(weight_sum > 0)) {
        std::fill_n(factors, step.features.stride(), 0.0f);
        return {};
    }
    // Rows scaled by √c contribute c·y·yᵀ to the system, and √c times them c·y to the right-hand side.
    float roots[kPanelRows];
    workspace.start(&step.gram, step.unobserved_weight);
    for (std::size_t first = 0; first < n; first += kPanelRows) {
        const std::size_t count = std::min(kPanelRows, n - first);
        for (std::size_t j = 0; j < count; ++j) roots[j] = std::sqrt(weights[first + j]);
        workspace.add_rows(step.features, columns.subspan(first), count, roots);
        workspace.add_to_right(0, roots, count);
    }
    const double ridge = step.ridge_scale * std::pow(step.ridge_offset + weight_sum, step.ridge_exponent);
    if (!workspace.factorize(static_cast<float>(ridge)))
        throw NumericalFailure("the equations of the ranking factors of one " + std::string(step.row_name) + " with " +
                                   std::to_string(n) + " interactions have no unique solution",
                               {}, "Raise regularization, or rescale the weights if they are very large.");
    workspace.solve_lower(0);
    const double explained = workspace.product(0, 0);
    workspace.solve_upper(0.0f, factors);
    return {weight_sum - explained, ridge * squared_norm(factors, step.features.factors())};
}

namespace {

// Rows of one side: their blocks are cut once.
struct Side {
    const Csr& rows;
    std::span<const float> weights;
    std::vector<RowBlock> blocks;
};

ObjectiveParts solve_side(const RankingHalfStep& step, const Side& side, std::span<NormalEquations> workspaces,
                          Environment& environment, FactorMatrix& factors) {
    return solve_rows(side.blocks, workspaces, environment, [&](std::uint32_t row, NormalEquations& workspace) {
        const std::span<const float> weights = side.weights.subspan(side.rows.offsets[row], side.rows.row_size(row));
        return solve_ranking_row(step, columns_from(side.rows, row), weights, workspace, factors.row(row));
    });
}

ObjectiveParts solve_users(RankingModel& model, const Side& users, std::span<NormalEquations> workspaces,
                           Environment& environment) {
    const GramMatrix gram(model.items, environment);
    return solve_side(users_half_step(model.items, gram, model.parameters), users, workspaces, environment,
                      model.users);
}

ObjectiveParts solve_items(RankingModel& model, const RankingTraining& training, const Side& items,
                           std::span<NormalEquations> workspaces, Environment& environment) {
    const GramMatrix gram(model.users, environment);
    const double unobserved = model.parameters.unobserved_weight;
    const RankingHalfStep step{model.users,
                               gram,
                               static_cast<float>(unobserved),
                               training.item_ridge,
                               unobserved * static_cast<double>(model.users.rows()),
                               1.0,
                               "item"};
    return solve_side(step, items, workspaces, environment, model.items);
}

}  // namespace

RankingModel train_ials(const Csr& by_user, const Csr& by_item, Feedback feedback, const IalsOptions& options,
                        Environment& environment, const RankingEvaluation& evaluate, RankingStart* start) {
    const RankingTraining training = prepare_ranking(by_user, by_item, feedback, options, environment);
    RankingModel model;
    model.parameters = training.parameters;
    model.users = FactorMatrix(by_user.rows(), options.factors);
    const Side users{by_user, training.user_weights, row_blocks(by_user, options.factors)};
    const Side items{by_item, training.item_weights, row_blocks(by_item, options.factors)};
    std::vector<NormalEquations> workspaces = make_workspaces(options.factors, environment);
    if (start != nullptr && is_start(start->items, by_item.rows(), options.factors)) {
        model.items = std::move(start->items);
        solve_users(model, users, workspaces, environment);
    } else {
        model.items = FactorMatrix(by_item.rows(), options.factors);
        fill_random(model.users, initial_scale(options.factors), options.seed, kInitStream, environment);
    }
    EarlyStop early_stop(/*greater_is_better=*/true);
    FactorMatrix best_items;  // the users follow from them, bit for bit

    for (int iteration = 1; iteration <= options.iterations; ++iteration) {
        const ObjectiveParts items_parts = solve_items(model, training, items, workspaces, environment);
        const ObjectiveParts users_parts = solve_users(model, users, workspaces, environment);
        model.iterations = iteration;

        Iteration report{"ranking factors", iteration, options.iterations,
                         (users_parts.fit + items_parts.penalty) /
                             static_cast<double>(std::max<std::uint64_t>(by_user.entries(), 1)),
                         std::numeric_limits<double>::quiet_NaN()};
        if (evaluate) {
            report.test_metric = evaluate(model);
            if (early_stop.improves(iteration, report.test_metric)) best_items = copy_of(model.items);
        }
        const bool go_on = !environment.on_iteration || environment.on_iteration(report);
        if (!go_on || (evaluate && early_stop.exhausted())) break;
    }
    if (evaluate && early_stop.best_iteration() != model.iterations) {
        model.items = std::move(best_items);
        model.iterations = early_stop.best_iteration();
        solve_users(model, users, workspaces, environment);
    }
    return model;
}

void solve_users(RankingModel& model, const Csr& by_user, Environment& environment) {
    std::vector<NormalEquations> workspaces = make_workspaces(model.items.factors(), environment);
    const Array<float> weights = user_weights(by_user, model.parameters, environment);
    solve_users(model, Side{by_user, weights, row_blocks(by_user, model.items.factors())}, workspaces, environment);
}

}  // namespace mf
