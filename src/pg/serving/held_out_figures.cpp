#include "pg/serving/held_out_figures.hpp"

#include <cmath>

#include "core/evaluation/metrics.hpp"
#include "core/training/fold_in_users.hpp"
#include "pg/serving/recommendations.hpp"

namespace mf::pg {
namespace {

constexpr std::size_t kBlockUsers = 1024;
constexpr std::size_t kUsersATask = 8;
constexpr std::uint32_t kUnknown = SortedIds::kUnknown;

class Measurement {
  public:
    Measurement(ServingModel& model, const IdTable& items, const HoldOut& held_out, std::size_t positions,
                Environment& environment)
        : model_(model), held_out_(held_out), positions_(positions), environment_(environment) {
        const SortedIds& ids = model.items.ids();
        for (std::uint32_t item = 0; item < items.size(); ++item)
            index_of_.push_back(ids.find(items, item).value_or(kUnknown));
        for (int i = 0; i < std::max(environment.threads, 1); ++i)
            solvers_.push_back({model.new_ranking_fold_in(), model.new_rating_fold_in()});
    }

    /// expected: of all users; null in a model without features of users.
    HeldOutFigures run(const IdTable& users, const ExpectedUsers* expected) {
        std::vector<User> block;
        for (std::uint32_t user = 0; user < users.size(); ++user) {
            if (held_out_.test.row_size(user) == 0) continue;
            block.push_back({user, expected != nullptr ? expected->of(id_at(users, user)) : UserCenter{}, {}, {}, {}});
            if (block.size() == kBlockUsers) finish(block);
        }
        finish(block);
        return {lists_.mean_ndcg(), errors_.rmse()};
    }

  private:
    struct Solvers {
        std::unique_ptr<RankingFoldIn> ranking;
        std::unique_ptr<RatingFoldIn> rating;
    };
    struct User {
        std::uint32_t row;
        UserCenter center;
        UserState state;
        ListHits hits;
        std::vector<std::uint32_t> positions;  ///< which `hits` refers to
    };

    /// The history, ascending: the indices of both tables are in the order of the ids.
    void read_history(User& user) const {
        const auto columns = held_out_.train.row_columns(user.row);
        const auto values = held_out_.train.row_values(user.row);
        const std::uint64_t first = held_out_.train.offsets[user.row];
        const bool weighs = model_.recency().weighs();
        History& history = user.state.history;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const std::uint32_t item = index_of_[columns[i]];
            if (item == kUnknown) continue;
            history.entries.push_back({item, values[i], weighs ? held_out_.train.weight(first + i) : 1.0f});
            history.seen.push_back(item);
        }
    }

    void solve(User& user, const Solvers& by, Environment* environment) const {
        read_history(user);
        const std::vector<HistoryEntry>& entries = user.state.history.entries;
        fold_in(model_, {by.ranking.get(), by.rating.get(), environment}, entries, entries, std::move(user.center),
                user.state);
    }

    void list(User& user) const {
        std::vector<std::uint32_t> relevant;
        for (const std::uint32_t column : held_out_.test.row_columns(user.row))
            if (index_of_[column] != kUnknown) relevant.push_back(index_of_[column]);
        std::vector<std::uint32_t> recommended;
        const SubsetIndex* const all = nullptr;
        for (const ScoredItem& item : best_items(model_, user.state, positions_, all, user.state.history.seen))
            recommended.push_back(item.item);
        user.positions = hit_positions(recommended, relevant, positions_);
        user.hits = {user.positions, static_cast<std::size_t>(held_out_.test.row_size(user.row))};
    }

    void add_errors(const User& user) {
        const auto columns = held_out_.test.row_columns(user.row);
        const auto values = held_out_.test.row_values(user.row);
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const std::uint32_t item = index_of_[columns[i]];
            const float predicted = item == kUnknown ? predict_without_item(model_, user.state)
                                                     : predict_item_rating(model_, user.state, item);
            errors_.add(static_cast<double>(predicted) - static_cast<double>(values[i]));
        }
    }

    void finish(std::vector<User>& block) {
        fold_in_users(
            environment_, block.size(), model_.items.ranking().rows().factors(),
            [&](std::size_t i) { return held_out_.train.row_size(block[i].row); },
            [&](std::size_t i, std::size_t worker, Environment* environment) {
                solve(block[i], solvers_[worker], environment);
            });
        parallel_ranges(environment_, block.size(), kUsersATask, [&](std::size_t begin, std::size_t end, int) {
            for (std::size_t i = begin; i < end; ++i) list(block[i]);
        });
        for (const User& user : block) {
            lists_.add(user.hits, positions_);
            if (model_.rating) add_errors(user);
        }
        block.clear();
    }

    ServingModel& model_;
    const HoldOut& held_out_;
    std::size_t positions_;
    Environment& environment_;
    std::vector<std::uint32_t> index_of_;  ///< of each column the item in the model
    std::vector<Solvers> solvers_;         ///< one pair for each thread
    ListMetrics lists_;
    PredictionErrors errors_;
};

}  // namespace

std::optional<HeldOutFigures> measure_held_out(const Catalog& catalog, ServingModel& model, const IdTable& users,
                                               const IdTable& items, const HoldOut& held_out, std::size_t positions,
                                               Environment& environment) {
    if (users.kind() != model.user_kind || items.kind() != model.item_kind) return std::nullopt;
    const std::optional<ExpectedUsers> expected = ExpectedUsers::read(catalog, model, users, environment, false);
    return Measurement(model, items, held_out, positions, environment).run(users, expected ? &*expected : nullptr);
}

}  // namespace mf::pg
