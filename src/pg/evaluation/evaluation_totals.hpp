// What mf_evaluate adds up for each recommender.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/evaluation/evaluation.hpp"
#include "core/evaluation/list_variety.hpp"
#include "core/evaluation/metrics.hpp"

namespace mf::pg {

/// One recommender's result. Means over users; NaN: undefined.
struct Evaluation {
    const char* recommender;
    std::uint64_t users;  ///< users with a relevant row; the means of list metrics are over these
    std::uint64_t rows;   ///< test rows of the items that are ranked
    double rmse;
    double mae;
    RankingMetrics metrics;
    double coverage;  ///< share of the items that are in some user's list
    ListVariety variety;
};

/// What the variety of lists is measured by.
struct VarietyMeasure {
    const ItemIndex& items;
    std::span<const std::uint32_t> interactions;
    double users;

    ListVariety of(std::span<const std::uint32_t> list) const { return list_variety(list, items, interactions, users); }
};

/// A mean over those users for whom there is a value, which is NaN for the others; NaN without any.
class DefinedMean {
  public:
    void add(double value) {
        if (std::isnan(value)) return;
        sum_ += value;
        ++count_;
    }
    double value() const { return sum_ / static_cast<double>(count_); }

  private:
    double sum_ = 0;
    std::uint64_t count_ = 0;
};

/// Sums of one recommender's metrics over users, and of its errors over rows.
class Totals {
  public:
    /// items: of the model; ranked: those among them that are ranked.
    Totals(const char* recommender, std::size_t items, std::size_t ranked)
        : recommender_(recommender), ranked_(ranked), listed_(items, false) {}

    void add(const RankingMetrics& user) {
        ++users_;
        sum_.precision += user.precision;
        sum_.recall += user.recall;
        sum_.ndcg += user.ndcg;
        sum_.average_precision += user.average_precision;
        sum_.reciprocal_rank += user.reciprocal_rank;
        sum_.hit_rate += user.hit_rate;
        auc_.add(user.auc);
    }

    void add_error(double error) { errors_.add(error); }

    /// The list of a user that was added.
    void add_list(std::span<const std::uint32_t> list, const ListVariety& variety) {
        for (const std::uint32_t item : list) listed_[item] = true;
        novelty_.add(variety.novelty);
        similarity_.add(variety.similarity);
    }

    /// rows: test rows of the ranked items.
    Evaluation result(std::uint64_t rows) const {
        const auto mean = [](double sum, std::uint64_t count) { return sum / static_cast<double>(count); };
        Evaluation result{recommender_, users_, rows, errors_.rmse(), errors_.mae(), {}, 0, {}};
        result.metrics = {mean(sum_.precision, users_),
                          mean(sum_.recall, users_),
                          mean(sum_.ndcg, users_),
                          mean(sum_.average_precision, users_),
                          mean(sum_.reciprocal_rank, users_),
                          mean(sum_.hit_rate, users_),
                          auc_.value()};
        const auto listed = std::count(listed_.begin(), listed_.end(), true);
        result.variety = {novelty_.value(), similarity_.value()};
        result.coverage = users_ > 0 ? mean(static_cast<double>(listed), ranked_) : std::nan("");
        return result;
    }

  private:
    const char* recommender_;
    std::size_t ranked_;
    RankingMetrics sum_{};
    std::uint64_t users_ = 0;
    DefinedMean auc_;
    DefinedMean novelty_;
    DefinedMean similarity_;
    PredictionErrors errors_;
    std::vector<bool> listed_;
};

/// An order of items that is the same for all users.
struct FixedOrder {
    std::vector<std::uint32_t> items;
    std::vector<std::uint32_t> place;  ///< by item

    /// order: all items that are ranked, of the `all` items of the model.
    FixedOrder(std::vector<std::uint32_t> order, std::size_t all) : items(std::move(order)), place(all) {
        for (std::uint32_t p = 0; p < items.size(); ++p) place[items[p]] = p;
    }

    /// Of the user's items, those that are ranked.
    void evaluate(const TestUser& user, std::size_t k, const VarietyMeasure& variety, Totals& totals) const {
        totals.add(ranking_metrics(ranks_in_order(user, place), items.size() - user.seen.size(), k));
        std::vector<std::uint32_t> list;
        for (const std::uint32_t item : items) {
            if (list.size() == k) break;
            if (!std::binary_search(user.seen.begin(), user.seen.end(), item)) list.push_back(item);
        }
        totals.add_list(list, variety.of(list));
    }
};

}  // namespace mf::pg
