// A version ready to predict and recommend.
#pragma once

#include "core/retrieval/item_image.hpp"
#include "core/training/fold_in.hpp"
#include "core/training/model.hpp"
#include "core/training/options.hpp"
#include "pg/models/factor_rows.hpp"
#include "pg/models/model_rows.hpp"
#include "pg/models/parameters.hpp"
#include "pg/sql/row_receiver.hpp"

namespace mf::pg {

/// Index i means the i-th item in id order everywhere.
struct ServingModel {
    /// Serves the version from the item image in `memory`, which may be shared; the object itself takes little more
    /// memory.
    ServingModel(const std::string& model_name, const ModelVersion& row, const StoredParameters& parameters,
                 std::shared_ptr<const void> memory);
    ServingModel(const ServingModel&) = delete;
    ServingModel& operator=(const ServingModel&) = delete;

    /// The shape of the version's factor rows.
    FactorShape shape() const { return {items.ranking().rows().factors(), !version.implicit}; }

    std::string name;
    ModelVersion version{};  ///< the row; its source may have been dropped or altered since
    IdKind user_kind = IdKind::Integer;
    IdKind item_kind = IdKind::Integer;
    Feedback feedback = Feedback::Explicit;
    Duplicates duplicates = Duplicates::Mean;  ///< never Error: serving does not fail on what came after the training
    ItemImage items;
    std::optional<RatingScale> rating;               ///< nothing for implicit feedback
    std::unique_ptr<RatingFoldIn> rating_fold_in;    ///< null for implicit feedback
    std::unique_ptr<RankingFoldIn> ranking_fold_in;  ///< of the session
    std::shared_ptr<const HistoryPlan> history;      ///< the query for one user's rows, prepared at first use

    /// Another one, for a thread of its own. Refers to this object.
    std::unique_ptr<RankingFoldIn> new_ranking_fold_in() const;

  private:
    const RankingTrainer* ranking_trainer_;
    NamedNumbers ranking_parameters_;
    std::shared_ptr<const void> memory_;  ///< contains `items`
};

}  // namespace mf::pg
