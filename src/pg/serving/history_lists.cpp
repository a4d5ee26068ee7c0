#include "pg/serving/history_lists.hpp"

#include <algorithm>

#include "core/retrieval/user_blocks.hpp"
#include "core/training/fold_in_users.hpp"
#include "pg/serving/recommendations.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {
namespace {

constexpr std::size_t kMostUsers = 1024;  // of a block
constexpr std::size_t kMostRows = std::size_t{1} << 18;
constexpr std::size_t kUsersATask = 8;

}  // namespace

HistoryLists::HistoryLists(const Catalog& catalog, ServingModel& model, const ExpectedUsers* expected, std::size_t n,
                           const SubsetIndex* only, bool exclude_seen, const Environment& environment,
                           UserListWriter& writer)
    : catalog_(catalog),
      model_(model),
      expected_(expected),
      n_(n),
      only_(only),
      exclude_seen_(exclude_seen),
      environment_(environment),
      writer_(writer),
      block_users_(block_users(n, model.items.size(), kMostUsers)) {
    const ItemIndex& items = model.items.ranking();
    const std::size_t equations = items.rows().stride() * items.rows().stride() * sizeof(float);
    const auto fitting = static_cast<int>(std::clamp<std::size_t>(setting_batch_memory() / equations, 1, 1024));
    environment_.threads = std::min(environment.threads, fitting);
    for (int i = 0; i < environment_.threads; ++i) fold_ins_.push_back(model.new_ranking_fold_in());
}

void HistoryLists::add(Id id, std::span<const HistoryRow> rows, std::optional<std::uint64_t> trained_digest) {
    const std::size_t begin = rows_.size();
    rows_.insert(rows_.end(), rows.begin(), rows.end());
    users_.push_back({std::move(id), begin, rows_.size(), trained_digest, {}, {}});
    if (users_.size() == block_users_ || rows_.size() >= kMostRows) finish();
}

void HistoryLists::solve(User& user, RankingFoldIn& ranking, Environment* environment) {
    UserState& state = user.state;
    state.history = merge_history(std::span(rows_).subspan(user.rows_begin, user.rows_end - user.rows_begin), model_);
    const std::vector<HistoryEntry>& entries = state.history.entries;
    if (!entries.empty() && model_.stored_users_fit() && user.trained_digest == state.history.digest) {
        state.basis = Basis::Trained;
        return;
    }
    fold_in(model_, {&ranking, nullptr, environment}, entries, {},
            expected_ != nullptr ? expected_->of(user.id) : UserCenter{}, state);
}

void HistoryLists::finish() {
    fold_in_users(
        environment_, users_.size(), model_.items.ranking().rows().factors(),
        [this](std::size_t i) { return users_[i].rows_end - users_[i].rows_begin; },
        [this](std::size_t i, std::size_t worker, Environment* environment) {
            solve(users_[i], *fold_ins_[worker], environment);
        });
    for (User& user : users_)  // stored rows are PostgreSQL's
        if (user.state.basis == Basis::Trained)
            user.state = user_with_history(catalog_, model_, user.id, std::move(user.state.history));
    parallel_ranges(environment_, users_.size(), kUsersATask, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t i = begin; i < end; ++i) {
            UserState& state = users_[i].state;
            users_[i].list = best_items(model_, state, n_, only_,
                                        exclude_seen_ ? std::move(state.history.seen) : std::vector<std::uint32_t>());
        }
    });
    for (const User& user : users_) writer_.put(user.id, user.list);
    writer_.flush();
    users_.clear();
    rows_.clear();
}

}  // namespace mf::pg
