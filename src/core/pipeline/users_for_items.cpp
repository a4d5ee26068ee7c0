#include "core/pipeline/users_for_items.hpp"

#include <algorithm>

#include "core/training/fold_in_users.hpp"
#include "core/training/half_step.hpp"

namespace mf {

namespace {

constexpr std::size_t kBlock = 1024;  // users that are added to the Gram matrix together

// Solvers of one thread, and the history that they solve.
struct Solver {
    std::unique_ptr<RankingFoldIn> ranking;
    std::unique_ptr<RatingFoldIn> rating;
    std::vector<HistoryEntry> history;
};

}  // namespace

UsersForItems::UsersForItems(const Csr& by_user, int ranking_factors, int rating_factors, Environment& environment)
    : by_user_(by_user),
      taken_(by_user.rows()),
      ranking_(by_user.rows(), ranking_factors, environment),
      others_(kBlock, ranking_factors),
      others_gram_(ranking_factors),
      gram_(ranking_factors),
      count_(by_user.rows()) {
    if (rating_factors == 0) return;
    rating_ = FactorMatrix(by_user.rows(), rating_factors, environment);
    rating_bias_ = Array<float>(by_user.rows(), 0.0f);
}

void UsersForItems::take(std::uint32_t user, const StoredUser& stored) {
    std::ranges::copy(stored.ranking, ranking_.row(user));
    if (rating_.rows() > 0) {
        std::ranges::copy(stored.rating, rating_.row(user));
        rating_bias_[user] = stored.rating_bias;
    }
    taken_[user] = true;
}

void UsersForItems::add_other(std::span<const float> ranking) {
    std::ranges::copy(ranking, others_.row(others_in_block_++));
    ++count_;
    if (others_in_block_ == kBlock) add_others();
}

void UsersForItems::add_others() {
    others_gram_.add(FactorView(others_).slice(0, others_in_block_));
    others_in_block_ = 0;
}

void UsersForItems::fold_in(const FoldIns& fold_ins, Environment& environment) {
    add_others();
    solve(fold_ins, fold_ins.centers.ranking, environment);
    sum_up(environment);
}

void UsersForItems::fold_in_again(const ItemsForUsers& items, const FoldIns& fold_ins, Environment& environment) {
    std::fill(taken_.begin(), taken_.end(), false);
    FactorMatrix centers(fold_ins.centers.ranking.rows(), ranking_.factors(), environment);
    for (std::size_t user = 0; user < centers.rows(); ++user)
        std::copy_n(fold_ins.centers.ranking.row(user), centers.stride(), centers.row(user));
    items.rotate(centers, environment);
    solve(fold_ins, centers, environment);
    items.rotate_back(ranking_, environment);
    sum_up(environment);
}

void UsersForItems::solve(const FoldIns& fold_ins, FactorView ranking_centers, Environment& environment) {
    std::vector<Solver> solvers(static_cast<std::size_t>(std::max(environment.threads, 1)));
    for (Solver& solver : solvers) {
        solver.ranking = fold_ins.ranking();
        if (rating_.rows() > 0) solver.rating = fold_ins.rating();
    }
    const auto entries_of = [&](std::size_t user) { return by_user_.row_size(static_cast<std::uint32_t>(user)); };
    const auto solve = [&](std::size_t index, std::size_t worker, Environment* of_caller) {
        const auto user = static_cast<std::uint32_t>(index);
        if (taken_[user]) return;
        Solver& solver = solvers[worker];
        solver.history.clear();
        for (std::size_t j = 0; j < by_user_.row_size(user); ++j)
            if (const std::uint32_t item = fold_ins.items[by_user_.row_columns(user)[j]]; item != kUnknown)
                solver.history.push_back(
                    {item, by_user_.row_values(user)[j], by_user_.weight(by_user_.offsets[user] + j)});
        const float* const center = center_of(ranking_centers, user);
        BiasedCenter rating_center;
        if (const UserCenters& centers = fold_ins.centers; centers.rating.rows() > 0)
            rating_center = {centers.rating.row(user), centers.rating_bias[user]};
        if (solver.history.empty() && center != nullptr) {
            std::copy_n(center, ranking_.stride(), ranking_.row(user));
            if (solver.rating) {
                std::copy_n(rating_center.factors, rating_.stride(), rating_.row(user));
                rating_bias_[user] = rating_center.bias;
            }
            return;
        }
        solver.ranking->solve(solver.history, ranking_.row(user), of_caller, center);
        if (solver.rating)
            solver.rating->solve(solver.history, rating_.row(user), &rating_bias_[user], of_caller, rating_center);
    };
    fold_in_users(environment, by_user_.rows(), std::max(ranking_.factors(), rating_.factors()), entries_of, solve);
}

void UsersForItems::sum_up(Environment& environment) {
    gram_ = others_gram_;
    for (std::size_t begin = 0; begin < ranking_.rows(); begin += kBlock) {
        check_interrupt(environment);
        gram_.add(FactorView(ranking_).slice(begin, std::min(begin + kBlock, ranking_.rows())));
    }
}

RankingUsers UsersForItems::ranking() const { return {ranking_, GramMatrix(gram_), count_}; }

}  // namespace mf
