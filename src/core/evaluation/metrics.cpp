#include "core/evaluation/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/base/descending_order.hpp"
#include "core/evaluation/list_metrics.hpp"
#include "core/linalg/kernels.hpp"
#include "core/retrieval/top_n.hpp"

namespace mf {
namespace {

/// Users evaluated at a time. Sums go per block, then over the blocks in order: the threads have no influence
/// on the rounding.
constexpr std::size_t kBlockUsers = 64;

double mean(double sum, std::uint64_t count) {
    return count > 0 ? sum / static_cast<double>(count) : std::numeric_limits<double>::quiet_NaN();
}

/// add(begin, end, sum) for blocks of users; the blocks' sums in a fixed order.
template <class Sum, class Add>
Sum sum_over_users(std::size_t users, Environment& environment, const Add& add) {
    std::vector<Sum> partial((users + kBlockUsers - 1) / kBlockUsers);
    parallel_for(environment, partial.size(), [&](std::size_t block, int) {
        Sum sum;  // on the worker's stack: neighbours in `partial` share a cache line
        add(block * kBlockUsers, std::min((block + 1) * kBlockUsers, users), sum);
        partial[block] = sum;
    });
    Sum sum;
    for (const Sum& block : partial) sum += block;
    return sum;
}

}  // namespace

void PredictionErrors::add(double error) {
    squares += error * error;
    absolute += std::fabs(error);
    ++count;
}

PredictionErrors& PredictionErrors::operator+=(const PredictionErrors& other) {
    squares += other.squares;
    absolute += other.absolute;
    count += other.count;
    return *this;
}

double PredictionErrors::rmse() const { return std::sqrt(mean(squares, count)); }
double PredictionErrors::mae() const { return mean(absolute, count); }

void ListMetrics::add(const ListHits& list, std::size_t k) {
    ndcg += ndcg_at(list, k);
    recall += recall_at(list, k);
    ++users;
}

ListMetrics& ListMetrics::operator+=(const ListMetrics& other) {
    ndcg += other.ndcg;
    recall += other.recall;
    users += other.users;
    return *this;
}

double ListedItems::share() const {
    const auto listed =
        std::ranges::count_if(listed_, [](const std::atomic<bool>& is_listed) { return is_listed.load(); });
    return mean(static_cast<double>(listed), listed_.size());
}

double ListMetrics::mean_ndcg() const { return mean(ndcg, users); }
double ListMetrics::mean_recall() const { return mean(recall, users); }

double predict_rating(const RatingModel& model, std::uint32_t user, std::uint32_t item) {
    const double predicted = model.scale.mean + model.user_bias[user] + model.item_bias[item] +
                             kernels().dot(model.users.row(user), model.items.row(item), model.users.stride() / kLanes);
    return std::clamp(predicted, model.scale.minimum, model.scale.maximum);
}

PredictionErrors measure_predictions(const RatingModel& model, const Csr& test, Environment& environment) {
    const auto add = [&](std::size_t begin, std::size_t end, PredictionErrors& sum) {
        for (auto user = static_cast<std::uint32_t>(begin); user < end; ++user) {
            const auto items = test.row_columns(user);
            const auto values = test.row_values(user);
            for (std::size_t i = 0; i < items.size(); ++i)
                sum.add(predict_rating(model, user, items[i]) - static_cast<double>(values[i]));
        }
    };
    return sum_over_users<PredictionErrors>(test.rows(), environment, add);
}

std::vector<std::uint32_t> hit_positions(std::span<const std::uint32_t> recommended,
                                         std::span<const std::uint32_t> relevant, std::size_t k) {
    std::vector<std::uint32_t> hits;
    for (std::size_t i = 0; i < std::min(k, recommended.size()); ++i) {
        if (std::binary_search(relevant.begin(), relevant.end(), recommended[i]))
            hits.push_back(static_cast<std::uint32_t>(i));
    }
    return hits;
}

namespace {

std::vector<std::uint32_t> users_with_entries(const Csr& test) {
    std::vector<std::uint32_t> users;
    for (std::uint32_t user = 0; user < test.rows(); ++user)
        if (test.row_size(user) > 0) users.push_back(user);
    return users;
}

/// take(user, hits) for the list of each user of the group. `listed` may be null.
template <class Take>
void lists_of_group(const RankingModel& model, const ItemIndex& index, std::span<const std::uint32_t> group,
                    const Csr& seen, const Csr& test, std::size_t k, ListedItems* listed, const Take& take) {
    FactorMatrix queries(group.size(), model.users.factors());
    std::vector<std::span<const std::uint32_t>> excluded;
    for (std::size_t q = 0; q < group.size(); ++q) {
        std::copy_n(model.users.row(group[q]), queries.stride(), queries.row(q));
        excluded.push_back(seen.row_columns(group[q]));
    }
    std::vector<std::vector<ScoredItem>> lists(group.size());
    top_n_each(queries, index, k, excluded, lists);
    for (std::size_t q = 0; q < group.size(); ++q) {
        std::vector<std::uint32_t> recommended;
        for (const ScoredItem& best : lists[q]) {
            recommended.push_back(best.item);
            if (listed != nullptr) listed->add(best.item);
        }
        const auto relevant = test.row_columns(group[q]);
        take(q, ListHits{hit_positions(recommended, relevant, k), relevant.size()});
    }
}

}  // namespace

ListMetrics measure_lists(const RankingModel& model, const Csr& seen, const Csr& test, std::size_t k,
                          Environment& environment, ListedItems* listed) {
    const std::vector<std::uint32_t> users = users_with_entries(test);
    const OwnedItemIndex index(model.items, environment);
    const auto add = [&](std::size_t begin, std::size_t end, ListMetrics& sum) {
        for (; begin < end; begin += kQueriesAtOnce) {
            const auto group = std::span(users).subspan(begin, std::min(kQueriesAtOnce, end - begin));
            lists_of_group(model, index.get(), group, seen, test, k, listed,
                           [&](std::size_t, const ListHits& hits) { sum.add(hits, k); });
        }
    };
    return sum_over_users<ListMetrics>(users.size(), environment, add);
}

std::vector<double> list_ndcgs(const RankingModel& model, const Csr& seen, const Csr& test, std::size_t k,
                               Environment& environment) {
    const std::vector<std::uint32_t> users = users_with_entries(test);
    const OwnedItemIndex index(model.items, environment);
    std::vector<double> values(users.size());
    parallel_ranges(environment, users.size(), kQueriesAtOnce, [&](std::size_t begin, std::size_t end, int) {
        const auto group = std::span(users).subspan(begin, end - begin);
        lists_of_group(model, index.get(), group, seen, test, k, nullptr,
                       [&](std::size_t q, const ListHits& hits) { values[begin + q] = ndcg_at(hits, k); });
    });
    return values;
}

std::vector<double> squared_errors(const RatingModel& model, const Csr& test, Environment& environment) {
    const std::vector<std::uint32_t> users = users_with_entries(test);
    std::vector<double> values(users.size());
    parallel_ranges(environment, users.size(), kBlockUsers, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t u = begin; u < end; ++u) {
            PredictionErrors sum;
            for (std::size_t i = 0; i < test.row_size(users[u]); ++i)
                sum.add(predict_rating(model, users[u], test.row_columns(users[u])[i]) -
                        static_cast<double>(test.row_values(users[u])[i]));
            values[u] = sum.squares;
        }
    });
    return values;
}

std::vector<std::uint32_t> by_popularity(const Csr& cells, Environment& environment) {
    std::vector<std::uint64_t> interactions(cells.column_count);
    for (const std::uint32_t item : cells.columns) ++interactions[item];
    std::vector<std::uint32_t> items(cells.column_count);
    descending_order(items, environment, [&](std::uint32_t item) { return interactions[item]; });
    return items;
}

ListMetrics measure_popularity(const Csr& seen, const Csr& test, std::size_t k, Environment& environment) {
    const std::vector<std::uint32_t> order = by_popularity(seen, environment);
    const auto add = [&](std::size_t begin, std::size_t end, ListMetrics& sum) {
        for (auto user = static_cast<std::uint32_t>(begin); user < end; ++user) {
            const auto relevant = test.row_columns(user);
            if (relevant.empty()) continue;
            std::vector<std::uint32_t> list;
            for (std::size_t i = 0; i < order.size() && list.size() < k; ++i)
                if (!std::ranges::binary_search(seen.row_columns(user), order[i])) list.push_back(order[i]);
            sum.add({hit_positions(list, relevant, k), relevant.size()}, k);
        }
    };
    return sum_over_users<ListMetrics>(test.rows(), environment, add);
}

}  // namespace mf
