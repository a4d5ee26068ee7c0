#include "core/training/ials.hpp"

#include <algorithm>
#include <initializer_list>
#include <numbers>
#include <optional>

#include "core/training/factor_init.hpp"
#include "core/training/feature_map.hpp"
#include "core/training/ials_fold_in.hpp"
#include "core/training/ials_half_step.hpp"
#include "core/training/iterations.hpp"

namespace mf {

namespace {

// Rows of one side with their weights, cut once.
struct Side {
    CsrView rows;
    RowPlan plan;
    Side(const Csr& matrix, std::span<const float> weights, int factors)
        : rows(matrix.with_values(weights)), plan(plan_rows(matrix, factors)) {}
};

// Rotates the features and what else is in their basis into their eigenbasis, unless they are in it, and returns their
// Gram matrix there.
GramMatrix rotate_to_eigenbasis(FactorMatrix& features, std::initializer_list<FactorMatrix*> others,
                                Environment& environment) {
    GramMatrix gram(features, environment);
    if (is_diagonal(gram, features)) return gram;
    const Eigenbasis basis(gram, features.factors(), environment);
    basis.rotate(features, environment);
    for (FactorMatrix* other : others)
        if (other->rows() > 0) basis.rotate(*other, environment);
    return GramMatrix(features, environment);
}

// Solves one side, exactly unless there is memory for rounded features. step: of the Gram matrix of `features` in its
// eigenbasis.
ObjectiveParts solve_in_eigenbasis(IalsHalfStep step, Bfloat16Matrix* rounded, const Side& side,
                                   const FactorMatrix& features, FactorView centers,
                                   std::span<IalsWorkspace> workspaces, Environment& environment,
                                   FactorMatrix& factors) {
    const SharedDiagonal shared(step.gram, features, step.unobserved_weight);
    if (shared.exists()) {
        step.shared = &shared;
        if (rounded != nullptr) rounded->copy(features, step.gram, environment);
        step.rounded = rounded;
    }
    return solve_rows(step, side.rows, side.plan, features, centers, workspaces, environment, factors);
}

ObjectiveParts solve_users(RankingModel& model, const Side& users, const Csr* user_features, Bfloat16Matrix* rounded,
                           std::span<IalsWorkspace> workspaces, Environment& environment) {
    const GramMatrix gram =
        rotate_to_eigenbasis(model.items, {&model.users, &model.item_map, &model.user_map}, environment);
    FactorMatrix centers;
    if (model.user_map.rows() > 0) centers = expected_factors(*user_features, model.user_map, environment);
    return solve_in_eigenbasis(ials_users_step(gram, from_numbers<IalsParameters>(model.parameters)), rounded, users,
                               model.items, centers, workspaces, environment, model.users);
}

}  // namespace

RankingModel train_ials(const TrainingData& matrices, const TrainOptions& options, Environment& environment,
                        const RankingEvaluation& evaluate, RankingStart* start) {
    const Csr &by_user = matrices.by_user, &by_item = matrices.by_item;
    const SideFeatures *const item_features = matrices.item_features, *const user_features = matrices.user_features;
    const Csr* const user_rows = user_features != nullptr ? &user_features->by_row : nullptr;
    const IalsData data = prepare_ials(by_user, by_item, options, environment);
    const IalsParameters& parameters = data.parameters;
    const int factors = options.factors;
    RankingModel model;
    model.parameters = to_numbers(parameters);
    model.users = FactorMatrix(by_user.rows(), factors, environment);
    const Side users(by_user, data.user_weights, factors);
    const Side items(by_item, data.item_weights, factors);
    std::vector<IalsWorkspace> memory = make_workspaces<IalsWorkspace>(factors, environment);
    const std::span<IalsWorkspace> workspaces(memory);
    const bool exact = options.solver == Solver::Cholesky;
    Bfloat16Matrix rounded;  // rows of the side that is read

    const double ridge = options.ials.feature_regularization;
    const std::vector<bool> has_item = item_features != nullptr ? occupied(by_item) : std::vector<bool>();
    const std::vector<bool> has_user = user_features != nullptr ? occupied(by_user) : std::vector<bool>();
    const auto fit_item_map = [&](int steps) {
        return fit_feature_map(*item_features, model.items, has_item, ridge, steps, environment);
    };
    HalfSteps half_steps;
    half_steps.solve_items = [&](bool draws) {
        const GramMatrix gram = rotate_to_eigenbasis(model.users, {&model.items}, environment);
        FactorMatrix centers;
        if (item_features != nullptr && draws)
            centers = expected_factors(item_features->by_row, fit_item_map(kMapSteps), environment);
        return solve_in_eigenbasis(ials_items_step(gram, parameters, model.users.rows()), exact ? nullptr : &rounded,
                                   items, model.users, centers, workspaces, environment, model.items);
    };
    half_steps.solve_users = [&](bool exactly) {
        return solve_users(model, users, user_rows, exactly ? nullptr : &rounded, workspaces, environment);
    };
    if (user_features != nullptr)
        half_steps.fit_user_map = [&] {
            model.user_map = fit_feature_map(*user_features, model.users, has_user, ridge, kMapSteps, environment);
        };
    half_steps.objective = [](const ObjectiveParts& of_items, const ObjectiveParts& of_users) {
        return of_users.fit + of_items.penalty;
    };

    if (start != nullptr && is_start(start->items, by_item.rows(), factors)) {
        model.items = std::move(start->items);
        half_steps.solve_users(exact);
    } else {
        model.items = FactorMatrix(by_item.rows(), factors, environment);
        fill_random(model.users, initial_scale(factors), options.seed, kIalsStartStream, environment);
    }

    run_iterations({"ranking factors", options.ials.iterations, exact, /*greater_is_better=*/true, by_user.entries()},
                   half_steps, evaluate, model, environment);
    if (item_features != nullptr) model.item_map = fit_item_map(kLastMapSteps);
    return model;
}

void solve_users(RankingModel& model, const Csr& by_user, const Csr* user_features, Environment& environment) {
    std::vector<IalsWorkspace> workspaces = make_workspaces<IalsWorkspace>(model.items.factors(), environment);
    const Array<float> weights = user_weights(by_user, from_numbers<IalsParameters>(model.parameters), environment);
    solve_users(model, Side(by_user, weights, model.items.factors()), user_features, nullptr, workspaces, environment);
}

FactorMatrix solve_items(const ItemsToSolve& items, const RankingUsers& users, const IalsParameters& parameters,
                         Environment& environment) {
    const int factors = users.rows.factors();
    const Array<float> weights = user_weights(items.by_user, parameters, environment);
    const Csr by_item = rows_of_columns(items.by_user, weights, items.columns, environment);
    FactorMatrix result(by_item.rows(), factors, environment);
    std::vector<IalsWorkspace> workspaces = make_workspaces<IalsWorkspace>(factors, environment);
    const Side side(by_item, by_item.values, factors);
    solve_rows(ials_items_step(users.gram, parameters, users.count), side.rows, side.plan, users.rows, items.centers,
               workspaces, environment, result);
    return result;
}

namespace {

constexpr NumericOption weight_slope_option() {
    return {"weight_slope",
            false,
            false,
            0,
            kMaximumWeight,
            [](TrainOptions& options, double value) { options.ials.weight_slope = value; },
            [](const TrainOptions& options) { return options.ials.weight_slope_or_default(options.feedback); },
            {{0, 1, false}, {0, 4, false}}};
}

constexpr NumericOption kOptions[] = {
    numeric_option<&TrainOptions::ials, &IalsOptions::iterations>("iterations", 1, kMaximumIterations),
    numeric_option<&TrainOptions::ials, &IalsOptions::regularization>("regularization", kMinimumRegularization,
                                                                      kMaximumWeight, {0.125, 2, true},
                                                                      {0.125, 2, true}, std::numbers::sqrt2),
    numeric_option<&TrainOptions::ials, &IalsOptions::regularization_exponent>("regularization_exponent", 0, 2,
                                                                               {0, 1, false}, {0, 1, false}),
    // Without weight on what was not observed, the constant score fits perfectly and nothing is learned.
    numeric_option<&TrainOptions::ials, &IalsOptions::unobserved_weight>("unobserved_weight", kMinimumRegularization,
                                                                         kMaximumWeight, {10, 160, true},
                                                                         {10, 160, true}, 2, "regularization"),
    weight_slope_option(),
    numeric_option<&TrainOptions::ials, &IalsOptions::feature_regularization>("feature_regularization",
                                                                              kMinimumRegularization, kMaximumWeight),
};

}  // namespace

constinit const RankingTrainer kIalsTrainer = {
    {Algorithm::Ials,
     "ials",
     kOptions,
     {},
     [](TrainOptions& options) -> int& { return options.ials.iterations; },
     number_ranges<IalsParameters>,
     // The weights of both matrices, the systems, five matrices in double precision while an eigenbasis is sought, and
     // a copy of the side that is read.
     [](const TrainOptions& options, std::uint64_t rows, std::uint64_t ratings, int threads) {
         const double k = options.factors;
         const bool by_steps = options.solver == Solver::ConjugateGradient;
         return 8 * static_cast<double>(ratings) + solver_bytes(options.factors, threads) +
                threads * static_cast<double>(DualEquations::bytes(options.factors) +
                                              ConjugateGradient::bytes(options.factors)) +
                40 * k * k + (by_steps ? Bfloat16Matrix::bytes(static_cast<double>(rows), options.factors) : 0.0);
     }},
    train_ials,
    solve_users,
    [](RankingItems items, const NamedNumbers& parameters) -> std::unique_ptr<RankingFoldIn> {
        return std::make_unique<IalsFoldIn>(std::move(items), from_numbers<IalsParameters>(parameters));
    },
    [](const ItemsToSolve& items, const RankingUsers& users, const NamedNumbers& parameters, Environment& environment) {
        return solve_items(items, users, from_numbers<IalsParameters>(parameters), environment);
    }};

}  // namespace mf
