// A version's items in memory, ready to predict and recommend.
#pragma once

#include "core/fold_in.hpp"
#include "core/ids.hpp"
#include "core/item_index.hpp"
#include "core/model.hpp"
#include "core/options.hpp"
#include "pg/model_rows.hpp"

namespace mf::pg {

/// Rating factors of the items, for explicit feedback.
struct RatingItems {
    RatingParameters parameters;
    FactorMatrix factors;
    Array<float> bias;
};

/// The query for one user's history, prepared at first use.
struct HistoryPlan {
    std::optional<Source> source;
    SPIPlanPtr plan = nullptr;
    int running = 0;     ///< executions under way; more than one if the source itself asks for recommendations
    bool stale = false;  ///< to be prepared afresh once none runs

    HistoryPlan() = default;
    HistoryPlan(const HistoryPlan&) = delete;
    HistoryPlan& operator=(const HistoryPlan&) = delete;
    ~HistoryPlan() { reset(); }
    void reset() {
        if (plan != nullptr) SPI_freeplan(plan);
        plan = nullptr;
        source.reset();
        stale = false;
    }
};

/// Index i means the i-th item in id order everywhere.
struct ServingModel {
    std::string name;
    ModelVersion version{};  ///< the row; its source may be gone or altered by now
    IdKind user_kind = IdKind::Integer;
    IdKind item_kind = IdKind::Integer;
    Feedback feedback = Feedback::Explicit;
    Duplicates duplicates = Duplicates::Mean;
    IdTable items{IdKind::Integer};
    Array<std::uint32_t> interactions;
    std::vector<std::uint32_t> by_popularity;  ///< item indices, most interactions first, ties by index
    RankingParameters ranking_parameters;
    FactorMatrix ranking_items;
    std::unique_ptr<OwnedItemIndex> index;  ///< of ranking_items
    std::optional<RatingItems> rating;
    std::unique_ptr<RankingFoldIn> ranking_fold_in;
    std::unique_ptr<RatingFoldIn> rating_fold_in;  ///< null for implicit feedback
    HistoryPlan history;
    std::size_t bytes = 0;
};

/// Reads a version's items. O(items · k).
std::unique_ptr<ServingModel> load_serving_model(const Catalog& catalog, const std::string& name,
                                                 const ModelVersion& version);

}  // namespace mf::pg
