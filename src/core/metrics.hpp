// Quality of predictions and lists.
#pragma once

#include <cstdint>
#include <span>

#include "core/interactions.hpp"
#include "core/model.hpp"
#include "core/parallel.hpp"

namespace mf {

/// Rating predicted for a pair, clipped to the training range.
double predict_rating(const RatingModel& model, std::uint32_t user, std::uint32_t item);

/// Root mean square error of predict_rating over all entries; NaN if there are none. Row r of test belongs to
/// user r of the model. The same bits for any number of threads. O(entries · k).
double rmse(const RatingModel& model, const Csr& test, Environment& environment);

/// NDCG@k with binary relevance: gain 1/log2(position + 1) for each recommended item that is relevant,
/// divided by the gain of min(k, |relevant|) hits at the top. `recommended` is best first and distinct; only
/// its first k items count. `relevant` is ascending and not empty. In [0, 1]; 0 for k = 0.
double ndcg_at(std::span<const std::uint32_t> recommended, std::span<const std::uint32_t> relevant,
               std::size_t k);

/// Mean of ndcg_at over the users that have test entries; all items outside the user's `seen` row are ranked
/// by top_n. NaN if there are none. Row r of seen and test belongs to user r of the model. The same bits for
/// any number of threads. At worst O(users · items · k).
double mean_ndcg(const RankingModel& model, const Csr& seen, const Csr& test, std::size_t k,
                 Environment& environment);

}  // namespace mf
