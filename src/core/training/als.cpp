#include "core/training/als.hpp"

#include <algorithm>
#include <numbers>
#include <stdexcept>

#include "core/data/value_statistics.hpp"
#include "core/training/als_fold_in.hpp"
#include "core/training/als_half_step.hpp"
#include "core/training/als_start.hpp"
#include "core/training/factor_init.hpp"
#include "core/training/feature_map.hpp"
#include "core/training/iterations.hpp"

namespace mf {

namespace {

// Rows of one side, cut once.
struct Side {
    CsrView rows;
    RowPlan plan;
    Side(const Csr& matrix, int factors) : rows(matrix), plan(plan_rows(matrix, factors)) {}
};

// Solves one side, exactly unless there is memory for the features of steps.
ObjectiveParts solve_side(AlsHalfStep step, StepFeatures* steps, const Side& side, const BiasedFactors& features,
                          const BiasedFactors& centers, std::span<AlsWorkspace> workspaces, Environment& environment,
                          FactorMatrix& factors, Array<float>& bias) {
    if (steps != nullptr) steps->copy(features.factors, step.unit, environment);
    step.steps = steps;
    return solve_rows(step, side.rows, side.plan, features, centers, workspaces, environment, factors, bias);
}

// Factors and biases as one matrix, whose last column the biases are.
FactorMatrix joined(const FactorMatrix& factors, const Array<float>& bias, Environment& environment) {
    const int k = factors.factors();
    FactorMatrix result(factors.rows(), k + 1, environment);
    for (std::size_t r = 0; r < factors.rows(); ++r) {
        std::copy_n(factors.row(r), k, result.row(r));
        result.row(r)[k] = bias[r];
    }
    return result;
}

ObjectiveParts solve_users(RatingModel& model, StepFeatures* steps, const Side& users, const Csr* user_features,
                           std::span<AlsWorkspace> workspaces, Environment& environment) {
    const auto parameters = from_numbers<AlsParameters>(model.parameters);
    SplitFactors centers;
    if (model.user_map.rows() > 0)
        centers = split_bias(expected_factors(*user_features, model.user_map, environment), environment);
    return solve_side(als_users_step(parameters, model.scale.mean), steps, users, {model.items, model.item_bias},
                      {centers.factors, centers.bias}, workspaces, environment, model.users, model.user_bias);
}

// The map from features of one side to what the rows with entries have.
FactorMatrix fit_map(const SideFeatures& features, const FactorMatrix& factors, const Array<float>& bias,
                     const std::vector<bool>& has_rows, double ridge, int steps, Environment& environment) {
    return fit_feature_map(features, joined(factors, bias, environment), has_rows, ridge, steps, environment);
}

}  // namespace

RatingModel train_als(const TrainingData& data, const TrainOptions& options, Environment& environment,
                      const RatingEvaluation& evaluate, RatingStart* start) {
    const Csr &by_user = data.by_user, &by_item = data.by_item;
    const SideFeatures *const item_features = data.item_features, *const user_features = data.user_features;
    const Csr* const user_rows = user_features != nullptr ? &user_features->by_row : nullptr;
    RatingModel model;
    const ValueStatistics ratings = value_statistics(by_user.values, environment);
    const double deviation = ratings.deviation;
    const AlsParameters parameters{options.als.regularization, options.als.regularization_exponent,
                                   options.als.bias_regularization};
    model.scale = {ratings.mean, ratings.minimum, ratings.maximum, deviation};
    model.parameters = to_numbers(parameters);
    model.users = FactorMatrix(by_user.rows(), options.factors, environment);
    model.user_bias = Array<float>(by_user.rows(), 0.0f);
    const Side users(by_user, options.factors);
    const Side items(by_item, options.factors);
    std::vector<AlsWorkspace> memory = make_workspaces<AlsWorkspace>(options.factors, environment);
    const std::span<AlsWorkspace> workspaces(memory);
    const bool exact = options.solver == Solver::Cholesky;
    StepFeatures step_features;  // of the side that is read
    StepFeatures* const steps = exact ? nullptr : &step_features;
    if (start != nullptr && start->item_bias.size() != by_item.rows())
        throw std::logic_error("the first item biases do not fit the data");
    if (start != nullptr && is_start(start->items, by_item.rows(), options.factors)) {
        model.items = std::move(start->items);
        model.item_bias = std::move(start->item_bias);
        solve_users(model, steps, users, user_rows, workspaces, environment);
    } else {
        model.items = FactorMatrix(by_item.rows(), options.factors, environment);
        model.item_bias = Array<float>(by_item.rows(), 0.0f);
        start_als(by_user, by_item, parameters, deviation, options.seed, environment, model);
    }
    const double ridge = options.als.feature_regularization;
    const std::vector<bool> has_item = item_features != nullptr ? occupied(by_item) : std::vector<bool>();
    const std::vector<bool> has_user = user_features != nullptr ? occupied(by_user) : std::vector<bool>();
    const auto fit_item_map = [&](int steps) {
        return fit_map(*item_features, model.items, model.item_bias, has_item, ridge, steps, environment);
    };
    HalfSteps half_steps;
    half_steps.solve_items = [&](bool draws) {
        SplitFactors centers;
        if (item_features != nullptr && draws)
            centers =
                split_bias(expected_factors(item_features->by_row, fit_item_map(kMapSteps), environment), environment);
        return solve_side(als_items_step(parameters, model.scale.mean, deviation), steps, items,
                          {model.users, model.user_bias}, {centers.factors, centers.bias}, workspaces, environment,
                          model.items, model.item_bias);
    };
    half_steps.solve_users = [&](bool exactly) {
        return solve_users(model, exactly ? nullptr : steps, users, user_rows, workspaces, environment);
    };
    if (user_features != nullptr)
        half_steps.fit_user_map = [&] {
            model.user_map =
                fit_map(*user_features, model.users, model.user_bias, has_user, ridge, kMapSteps, environment);
        };
    half_steps.objective = [&](const ObjectiveParts& of_items, const ObjectiveParts& of_users) {
        return of_users.fit + of_items.penalty * deviation * deviation;
    };
    run_iterations({"rating factors", options.als.iterations, exact, /*greater_is_better=*/false, by_user.entries()},
                   half_steps, evaluate, model, environment);
    if (item_features != nullptr) model.item_map = fit_item_map(kLastMapSteps);
    return model;
}

void solve_users(RatingModel& model, const Csr& by_user, const Csr* user_features, Environment& environment) {
    std::vector<AlsWorkspace> workspaces = make_workspaces<AlsWorkspace>(model.items.factors(), environment);
    solve_users(model, nullptr, Side(by_user, model.items.factors()), user_features, workspaces, environment);
}

RatingItemRows solve_items(const ItemsToSolve& items, const RatingUsers& users, const RatingScale& scale,
                           const AlsParameters& parameters, Environment& environment) {
    const int factors = users.rows.factors();
    const Csr by_item = rows_of_columns(items.by_user, items.by_user.values, items.columns, environment);
    RatingItemRows result{FactorMatrix(by_item.rows(), factors, environment), Array<float>(by_item.rows(), 0.0f)};
    std::vector<AlsWorkspace> workspaces = make_workspaces<AlsWorkspace>(factors, environment);
    const SplitFactors centers = split_bias(items.centers, environment);
    solve_side(als_items_step(parameters, scale.mean, scale.deviation), nullptr, Side(by_item, factors),
               {users.rows, users.bias}, {centers.factors, centers.bias}, workspaces, environment, result.factors,
               result.bias);
    return result;
}

namespace {

constexpr NumericOption kOptions[] = {
    numeric_option<&TrainOptions::als, &AlsOptions::iterations>("iterations", 1, kMaximumIterations),
    numeric_option<&TrainOptions::als, &AlsOptions::regularization>(
        "regularization", kMinimumRegularization, kMaximumWeight, {0.125, 3, true}, {}, std::numbers::sqrt2),
    numeric_option<&TrainOptions::als, &AlsOptions::regularization_exponent>("regularization_exponent", 0, 2,
                                                                             {0.25, 0.75, false}),
    // May be 0: a row's bias is determined by its ratings once the factors have a ridge.
    numeric_option<&TrainOptions::als, &AlsOptions::bias_regularization>("bias_regularization", 0, kMaximumWeight,
                                                                         {0.125, 2, true}),
    numeric_option<&TrainOptions::als, &AlsOptions::feature_regularization>("feature_regularization",
                                                                            kMinimumRegularization, kMaximumWeight),
};

}  // namespace

constinit const RatingTrainer kAlsTrainer = {
    {Algorithm::Als,
     "als",
     kOptions,
     {},
     [](TrainOptions& options) -> int& { return options.als.iterations; },
     number_ranges<AlsParameters>,
     // The systems, a copy of the side that is read, and the targets of a row.
     [](const TrainOptions& options, std::uint64_t rows, std::uint64_t ratings, int threads) {
         const double systems = solver_bytes(options.factors, threads);
         if (options.solver == Solver::Cholesky) return systems;
         const std::uint64_t targets = std::min<std::uint64_t>(piece_entries(options.factors), ratings);
         return systems + StepFeatures::bytes(static_cast<double>(rows), options.factors) +
                threads *
                    static_cast<double>(BiasedConjugateGradient::bytes(options.factors) + targets * sizeof(float));
     }},
    train_als,
    solve_users,
    [](const RatingItems& items, const RatingScale& scale,
       const NamedNumbers& parameters) -> std::unique_ptr<RatingFoldIn> {
        return std::make_unique<AlsFoldIn>(items, scale.mean, from_numbers<AlsParameters>(parameters));
    },
    [](const ItemsToSolve& items, const RatingUsers& users, const RatingScale& scale, const NamedNumbers& parameters,
       Environment& environment) {
        return solve_items(items, users, scale, from_numbers<AlsParameters>(parameters), environment);
    }};

}  // namespace mf
