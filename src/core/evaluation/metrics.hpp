// Quality of predictions and lists.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/data/csr.hpp"
#include "core/evaluation/list_metrics.hpp"
#include "core/training/model.hpp"

namespace mf {

/// Rating predicted for a pair, clipped to the training range.
double predict_rating(const RatingModel& model, std::uint32_t user, std::uint32_t item);

/// Errors of predictions, summed.
struct PredictionErrors {
    double squares = 0;
    double absolute = 0;
    std::uint64_t count = 0;

    void add(double error);
    PredictionErrors& operator+=(const PredictionErrors& other);
    double rmse() const;  ///< NaN without predictions, like mae()
    double mae() const;
};

/// Metrics of lists, summed over users.
struct ListMetrics {
    double ndcg = 0;
    double recall = 0;
    std::uint64_t users = 0;

    void add(const ListHits& list, std::size_t k);
    ListMetrics& operator+=(const ListMetrics& other);
    double mean_ndcg() const;  ///< NaN without users, like mean_recall()
    double mean_recall() const;
};

/// Which items are in the list of some user. add() may be called by any number of threads at once.
class ListedItems {
  public:
    explicit ListedItems(std::size_t items) : listed_(items) {}
    void add(std::uint32_t item) { listed_[item].store(true, std::memory_order_relaxed); }
    bool contains(std::uint32_t item) const { return listed_[item].load(std::memory_order_relaxed); }
    /// The share of all items; NaN if there are none.
    double share() const;

  private:
    std::vector<std::atomic<bool>> listed_;
};

/// Errors of predict_rating over all entries. Row r of test belongs to user r of the model. The same bits for any
/// number of threads. O(entries · k).
PredictionErrors measure_predictions(const RatingModel& model, const Csr& test, Environment& environment);

/// Metrics of the lists of the k ≥ 1 best items outside the user's `seen` row, for the users that have test entries,
/// which are what is relevant. Row r of seen and test belongs to user r of the model. `listed`, if not null, takes the
/// items of these lists. The same bits for any number of threads. At worst O(users · items · factors).
ListMetrics measure_lists(const RankingModel& model, const Csr& seen, const Csr& test, std::size_t k,
                          Environment& environment, ListedItems* listed = nullptr);

/// NDCG of the same lists, a value for each user that has test entries, in their order.
std::vector<double> list_ndcgs(const RankingModel& model, const Csr& seen, const Csr& test, std::size_t k,
                               Environment& environment);

/// Sums of squared errors of predict_rating, a value for each user that has test entries, in their order.
std::vector<double> squared_errors(const RatingModel& model, const Csr& test, Environment& environment);

/// The items (columns) by the number of their interactions, most first, ties by index.
std::vector<std::uint32_t> by_popularity(const Csr& cells, Environment& environment);

/// As measure_lists(), for lists of the k items with the most entries in `seen` that are not in the user's own row.
/// O(entries).
ListMetrics measure_popularity(const Csr& seen, const Csr& test, std::size_t k, Environment& environment);

/// Positions, from 0, of those of the first k recommended items that are relevant, which is ascending.
/// `recommended` is best first and distinct.
std::vector<std::uint32_t> hit_positions(std::span<const std::uint32_t> recommended,
                                         std::span<const std::uint32_t> relevant, std::size_t k);

}  // namespace mf
