#include "core/evaluation/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

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

/// add(user, sum) for every user; the blocks' sums in a fixed order.
template <class Sum, class Add>
Sum sum_over_users(std::size_t users, Environment& environment, const Add& add) {
    std::vector<Sum> partial((users + kBlockUsers - 1) / kBlockUsers);
    parallel_for(environment, partial.size(), [&](std::size_t block, int) {
        Sum sum;  // on the worker's stack: neighbours in `partial` share a cache line
        const std::size_t end = std::min((block + 1) * kBlockUsers, users);
        for (std::size_t user = block * kBlockUsers; user < end; ++user) add(static_cast<std::uint32_t>(user), sum);
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

double ListMetrics::mean_ndcg() const { return mean(ndcg, users); }
double ListMetrics::mean_recall() const { return mean(recall, users); }

double predict_rating(const RatingModel& model, std::uint32_t user, std::uint32_t item) {
    const double predicted = model.scale.mean + model.user_bias[user] + model.item_bias[item] +
                             kernels().dot(model.users.row(user), model.items.row(item), model.users.stride() / kLanes);
    return std::clamp(predicted, model.scale.minimum, model.scale.maximum);
}

PredictionErrors measure_predictions(const RatingModel& model, const Csr& test, Environment& environment) {
    return sum_over_users<PredictionErrors>(test.rows(), environment, [&](std::uint32_t user, PredictionErrors& sum) {
        const auto items = test.row_columns(user);
        const auto values = test.row_values(user);
        for (std::size_t i = 0; i < items.size(); ++i)
            sum.add(predict_rating(model, user, items[i]) - static_cast<double>(values[i]));
    });
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

ListMetrics measure_lists(const RankingModel& model, const Csr& seen, const Csr& test, std::size_t k,
                          Environment& environment) {
    const OwnedItemIndex index(model.items, environment);
    return sum_over_users<ListMetrics>(test.rows(), environment, [&](std::uint32_t user, ListMetrics& sum) {
        const auto relevant = test.row_columns(user);
        if (relevant.empty()) return;
        std::vector<std::uint32_t> recommended;
        for (const ScoredItem& best : top_n(model.users.row(user), index.get(), k, seen.row_columns(user)))
            recommended.push_back(best.item);
        sum.add({hit_positions(recommended, relevant, k), relevant.size()}, k);
    });
}

}  // namespace mf
