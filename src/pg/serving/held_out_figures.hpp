// What a version that serves would reach on rows that were held out of a source.
#pragma once

#include "core/data/split.hpp"
#include "pg/cache/serving_model.hpp"
#include "pg/sql/catalog.hpp"

namespace mf::pg {

/// NaN where nothing was measured.
struct HeldOutFigures {
    double ndcg;  ///< of the first `positions` of the lists
    double rmse;  ///< of predicted ratings; NaN for implicit feedback
};

/// Row r of both parts belongs to user r of `users`, column c to item c of `items`; both tables are sorted. Each user
/// with held-out rows is solved from the rows of `held_out.train` against the version's items as they serve now, and
/// gets the list and the predictions that mf_recommend and mf_predict would give after such a history: items that the
/// version does not know are in no list. A version with a half-life takes the weights of `held_out.train`. Figures are
/// as those of mf::train(): all held-out rows are relevant. Nothing if the version has ids of another kind. The same
/// bits for any number of threads. O(rows · k²) at worst, on all threads; memory for a thousand users at a time.
std::optional<HeldOutFigures> measure_held_out(const Catalog& catalog, ServingModel& model, const IdTable& users,
                                               const IdTable& items, const HoldOut& held_out, std::size_t positions,
                                               Environment& environment);

}  // namespace mf::pg
