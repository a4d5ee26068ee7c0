// Lists for users whose histories are not those of the training.
#pragma once

#include "core/retrieval/subset_index.hpp"
#include "pg/serving/user_lists.hpp"
#include "pg/serving/user_state.hpp"
#include "pg/wall/environment.hpp"

namespace mf::pg {

/// Solves users from their histories and searches for them, a block at a time on all threads. The lists are those of
/// user_with_history().
class HistoryLists {
  public:
    /// Lists of the n best items, or of the best of some if `only` is not null, go to `writer`. expected: of all users
    /// that will be added; null in a model without features of users. All arguments must outlive this object. Each
    /// thread has k x k equations of its own, all together within maintenance_work_mem.
    HistoryLists(const Catalog& catalog, ServingModel& model, const ExpectedUsers* expected, std::size_t n,
                 const SubsetIndex* only, bool exclude_seen, const Environment& environment, UserListWriter& writer);

    /// Adds a user with all rows of the source, if there are any, and the digest of the history that was trained on, if
    /// there is one: it may be the same, since rows of one item count as one.
    void add(Id id, std::span<const HistoryRow> rows, std::optional<std::uint64_t> trained_digest);

    /// Writes the lists of all users that were added.
    void finish();

  private:
    struct User {
        Id id;
        std::size_t rows_begin;
        std::size_t rows_end;
        std::optional<std::uint64_t> trained_digest;
        UserState state;
        std::vector<ScoredItem> list;
    };
    void solve(User& user, RankingFoldIn& ranking, Environment* environment);

    const Catalog& catalog_;
    ServingModel& model_;
    const ExpectedUsers* expected_;
    std::size_t n_;
    const SubsetIndex* only_;
    bool exclude_seen_;
    Environment environment_;  ///< with no more threads than there is memory for
    UserListWriter& writer_;
    std::size_t block_users_;
    std::vector<std::unique_ptr<RankingFoldIn>> fold_ins_;  ///< one for each thread
    std::vector<HistoryRow> rows_;
    std::vector<User> users_;
};

}  // namespace mf::pg
