// Evaluation of a model, and of two baselines, on test rows.
#pragma once

#include "core/evaluation/evaluation.hpp"
#include "pg/cache/serving_model.hpp"

namespace mf::pg {

/// What to evaluate on: the test rows, read with the caller's rights.
struct EvaluationArguments {
    Oid test;
    const char* user_column;
    const char* item_column;
    const char* rating_column;            ///< not looked at for implicit feedback without relevant_from
    std::int32_t k;                       ///< length of the lists
    std::optional<double> relevant_from;  ///< rows below are not relevant; nothing: all rows are
};

/// One recommender's result. Means over users; NaN: undefined.
struct Evaluation {
    const char* recommender;  ///< "model", "popularity" or "bias"
    double rmse;
    double mae;
    RankingMetrics metrics;
    double coverage;  ///< share of the model's items that are in some user's list
};

/// Rows of the test: those used, and those left out because the model does not know the item or its source the user,
/// because the user has the item in the source already (overlapping), or for a NULL.
struct EvaluationRows {
    std::uint64_t users = 0;  ///< users with a relevant row, over whom the means of lists go
    std::uint64_t used = 0;
    std::uint64_t skipped = 0;
    std::uint64_t overlapping = 0;  ///< among the skipped
};

/// Evaluates the model as mf_recommend and mf_predict serve it now: all items that a user has not in the source are
/// ranked. The baselines: items by their interactions in the training; mean + user bias + item bias of the source's
/// rows, each the mean of its residuals shrunk by 10 rows (users) and 25 rows (items) (Koren, Bell 2011, 'Advances in
/// Collaborative Filtering'). Reads the test rows once, the source once and then as often as maintenance_work_mem wants
/// (12 bytes a row of the test's users). O(users · items · k), on all threads.
std::vector<Evaluation> evaluate(const Catalog& catalog, ServingModel& model, const EvaluationArguments& arguments,
                                 EvaluationRows* rows);

}  // namespace mf::pg
