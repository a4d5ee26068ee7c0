// A version ready to predict and recommend.
#pragma once

#include "core/pipeline/items_for_users.hpp"
#include "core/retrieval/item_image.hpp"
#include "core/training/fold_in.hpp"
#include "core/training/model.hpp"
#include "core/training/options.hpp"
#include "pg/models/factor_rows.hpp"
#include "pg/models/model_rows.hpp"
#include "pg/models/parameters.hpp"
#include "pg/sql/row_receiver.hpp"

namespace mf::pg {

/// A version ready to serve: nothing of it changes. Index i means the i-th item in id order everywhere.
class ServedVersion {
  public:
    /// Serves the version from the item image in `memory`, which may be shared; the object itself takes little more
    /// memory.
    ServedVersion(const std::string& model_name, const ModelVersion& row, const StoredParameters& parameters,
                  std::shared_ptr<const void> memory);
    ServedVersion(const ServedVersion&) = delete;
    ServedVersion& operator=(const ServedVersion&) = delete;

    /// The shape of the version's factor rows.
    FactorShape shape() const { return parameters_.shape; }

    /// True while a stored user is what a fold-in of the same history gives: until items are refreshed.
    bool stored_users_fit() const { return !version.refreshed; }

    /// False if the version was trained without storing users: all of them are folded in.
    bool stores_users() const { return parameters_.stores_users; }

    /// Whether negative values are dislikes.
    bool dislikes() const { return parameters_.dislikes; }

    /// By which interactions weigh.
    const Recency& recency() const { return parameters_.recency; }

    /// What the version was trained with.
    const StoredParameters& parameters() const { return parameters_; }

    /// The items that the solvers solve by.
    ModelItems all_items() const;

    /// Solvers for one thread, which refer to this object.
    std::unique_ptr<RankingFoldIn> new_ranking_fold_in() const;
    /// Null for implicit feedback.
    std::unique_ptr<RatingFoldIn> new_rating_fold_in() const;

    std::string name;
    ModelVersion version;  ///< the row; its source may have been dropped or altered since
    IdKind user_kind;
    IdKind item_kind;
    Feedback feedback;
    Duplicates duplicates;  ///< never Error: serving does not fail on what came after the training run
    ItemImage items;
    std::optional<RatingScale> rating;  ///< nothing for implicit feedback

  private:
    StoredParameters parameters_;
    std::shared_ptr<const void> memory_;  ///< contains `items`
};

class FeaturePlan;

/// The same with what a session keeps for its calls, which use it one after the other.
struct ServingModel : ServedVersion {
    using ServedVersion::ServedVersion;

    std::unique_ptr<RankingFoldIn> ranking_fold_in = new_ranking_fold_in();
    std::unique_ptr<RatingFoldIn> rating_fold_in = new_rating_fold_in();
    std::shared_ptr<const HistoryPlan> history;        ///< the query for one user's rows, prepared at first use
    std::shared_ptr<const FeaturePlan> user_features;  ///< the query for one user's features, likewise
};

}  // namespace mf::pg
