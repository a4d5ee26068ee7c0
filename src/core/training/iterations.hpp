// The iterations of alternating least squares, which are the same for rating and for ranking factors: when rows are
// solved exactly, when they are drawn to what is expected of their features, and which iteration is kept.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>

#include "core/base/parallel.hpp"
#include "core/training/early_stop.hpp"
#include "core/training/factor_init.hpp"
#include "core/training/feature_map.hpp"
#include "core/training/half_step.hpp"
#include "core/training/model.hpp"

namespace mf {

/// What is known before the first iteration.
struct IterationPlan {
    const char* phase;  ///< as in Iteration
    int iterations;
    bool exact;              ///< all rows are solved exactly; else only the last users
    bool greater_is_better;  ///< of the metric of held-out rows
    std::uint64_t interactions;
};

/// What an iteration consists of, on a model that all of these know.
struct HalfSteps {
    std::function<ObjectiveParts(bool draws)>
        solve_items;  ///< draws: to what is expected of features, if there are any
    std::function<ObjectiveParts(bool exactly)> solve_users;  ///< drawn to the model's map if it has one
    std::function<void()> fit_user_map;                       ///< empty without features of users
    std::function<double(const ObjectiveParts& items, const ObjectiveParts& users)> objective;
};

/// What the users follow from, bit for bit.
inline RankingModel copy_of_items(const RankingModel& model, Environment& environment) {
    RankingModel copy;
    copy.items = copy_of(model.items, environment);
    copy.user_map = copy_of(model.user_map, environment);
    return copy;
}

inline RatingModel copy_of_items(const RatingModel& model, Environment& environment) {
    RatingModel copy;
    copy.items = copy_of(model.items, environment);
    copy.item_bias = copy_of(model.item_bias);
    copy.user_map = copy_of(model.user_map, environment);
    return copy;
}

inline void move_items(RankingModel&& from, RankingModel& to) {
    to.items = std::move(from.items);
    to.user_map = std::move(from.user_map);
}

inline void move_items(RatingModel&& from, RatingModel& to) {
    to.items = std::move(from.items);
    to.item_bias = std::move(from.item_bias);
    to.user_map = std::move(from.user_map);
}

/// Runs the iterations: each solves the items for the users that the model has, then the users for them. With
/// `evaluate`, which gives the metric of held-out rows, it ends once further iterations are unlikely to improve that,
/// and the model becomes that of the best iteration. In any case its users are exact for its items. Reports each
/// iteration to the environment, which may end the run.
template <class Model, class Evaluate>
void run_iterations(const IterationPlan& plan, const HalfSteps& half_steps, const Evaluate& evaluate, Model& model,
                    Environment& environment) {
    EarlyStop early_stop(plan.greater_is_better);
    Model best;  // its items only
    bool users_are_exact = false;
    for (int iteration = 1; iteration <= plan.iterations; ++iteration) {
        const bool draws = is_drawn_to_map(iteration, plan.iterations);
        const ObjectiveParts items = half_steps.solve_items(draws);
        if (half_steps.fit_user_map && draws) half_steps.fit_user_map();
        users_are_exact = plan.exact || iteration == plan.iterations;
        const ObjectiveParts users = half_steps.solve_users(users_are_exact);
        model.iterations = iteration;

        Iteration report{
            plan.phase, iteration, plan.iterations,
            half_steps.objective(items, users) / static_cast<double>(std::max<std::uint64_t>(plan.interactions, 1)),
            std::numeric_limits<double>::quiet_NaN()};
        if (evaluate) {
            report.test_metric = evaluate(model);
            if (early_stop.improves(iteration, report.test_metric)) best = copy_of_items(model, environment);
        }
        const bool go_on = !environment.on_iteration || environment.on_iteration(report);
        if (!go_on || (evaluate && early_stop.exhausted())) break;
    }
    if (evaluate && early_stop.best_iteration() != model.iterations) {
        move_items(std::move(best), model);
        model.iterations = early_stop.best_iteration();
        users_are_exact = false;
    }
    if (!users_are_exact) half_steps.solve_users(true);
    if (half_steps.fit_user_map && model.user_map.rows() == 0) {  // it has ended before they are drawn to it
        half_steps.fit_user_map();
        half_steps.solve_users(true);
    }
}

}  // namespace mf
