#include "core/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/kernels.hpp"
#include "core/list_metrics.hpp"
#include "core/top_n.hpp"

namespace mf {
namespace {

/// Users evaluated at a time. Sums go per block, then over the blocks in order: the threads have no influence
/// on the rounding.
constexpr std::size_t kBlockUsers = 64;

/// What a mean is made of.
struct Sum {
    double total = 0;
    std::uint64_t count = 0;
    double mean() const {
        return count > 0 ? total / static_cast<double>(count) : std::numeric_limits<double>::quiet_NaN();
    }
};

/// add(user, sum) for every user; the blocks' sums in a fixed order.
template <class Add>
Sum sum_over_users(std::size_t users, Environment& environment, const Add& add) {
    std::vector<Sum> partial((users + kBlockUsers - 1) / kBlockUsers);
    parallel_for(environment, partial.size(), [&](std::size_t block, int) {
        Sum sum;  // on the worker's stack: neighbours in `partial` share a cache line
        const std::size_t end = std::min((block + 1) * kBlockUsers, users);
        for (std::size_t user = block * kBlockUsers; user < end; ++user)
            add(static_cast<std::uint32_t>(user), sum);
        partial[block] = sum;
    });
    Sum sum;
    for (const Sum& block : partial) {
        sum.total += block.total;
        sum.count += block.count;
    }
    return sum;
}

}  // namespace

double predict_rating(const RatingModel& model, std::uint32_t user, std::uint32_t item) {
    const double predicted =
        model.parameters.mean + model.user_bias[user] + model.item_bias[item] +
        kernels().dot(model.users.row(user), model.items.row(item), model.users.stride() / kLanes);
    return std::clamp(predicted, model.parameters.minimum, model.parameters.maximum);
}

double rmse(const RatingModel& model, const Csr& test, Environment& environment) {
    const auto add = [&](std::uint32_t user, Sum& sum) {
        const auto items = test.row_columns(user);
        const auto values = test.row_values(user);
        for (std::size_t i = 0; i < items.size(); ++i) {
            const double error = predict_rating(model, user, items[i]) - values[i];
            sum.total += error * error;
        }
        sum.count += items.size();
    };
    return std::sqrt(sum_over_users(test.rows(), environment, add).mean());
}

double ndcg_at(std::span<const std::uint32_t> recommended, std::span<const std::uint32_t> relevant,
               std::size_t k) {
    if (k == 0 || relevant.empty()) return 0;
    std::vector<std::uint32_t> hits;
    for (std::size_t i = 0; i < std::min(k, recommended.size()); ++i) {
        if (std::binary_search(relevant.begin(), relevant.end(), recommended[i]))
            hits.push_back(static_cast<std::uint32_t>(i));
    }
    return ndcg_at(ListHits{hits, relevant.size()}, k);
}

double mean_ndcg(const RankingModel& model, const Csr& seen, const Csr& test, std::size_t k,
                 Environment& environment) {
    const OwnedItemIndex index(model.items, environment);
    const auto add = [&](std::uint32_t user, Sum& sum) {
        const auto relevant = test.row_columns(user);
        if (relevant.empty()) return;
        std::vector<std::uint32_t> recommended;
        for (const ScoredItem& best : top_n(model.users.row(user), index.get(), k, seen.row_columns(user))) {
            recommended.push_back(best.item);
        }
        sum.total += ndcg_at(recommended, relevant, k);
        ++sum.count;
    };
    return sum_over_users(test.rows(), environment, add).mean();
}

}  // namespace mf
