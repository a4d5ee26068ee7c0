#include "pg/cache/serving_model.hpp"

#include "pg/sql/ids.hpp"

namespace mf::pg {

ServingModel::ServingModel(const std::string& model_name, const ModelVersion& row, const StoredParameters& parameters,
                           std::shared_ptr<const void> memory)
    : name(model_name),
      version(row),
      items(memory.get()),
      ranking_trainer_(parameters.ranking_trainer),
      ranking_parameters_(parameters.ranking),
      memory_(std::move(memory)) {
    version.parameters = nullptr;  // belongs to the call
    const auto kind = [](Oid type) { return pg_call([type] { return id_kind_unsafe(type); }); };
    user_kind = kind(version.user_type);
    item_kind = kind(version.item_type);
    feedback = version.implicit ? Feedback::Implicit : Feedback::Explicit;
    TrainOptions options;
    options.feedback = feedback;
    if (parameters.duplicates != Duplicates::Error) options.duplicates = parameters.duplicates;
    duplicates = options.duplicates_rule();
    ranking_fold_in = new_ranking_fold_in();
    if (version.implicit) return;
    rating = parameters.scale;
    rating_fold_in =
        parameters.rating_trainer->fold_in({items.rating(), items.rating_bias()}, *rating, parameters.rating);
}

std::unique_ptr<RankingFoldIn> ServingModel::new_ranking_fold_in() const {
    return ranking_trainer_->fold_in({items.ranking().rows(), items.ranking().positions(), items.gram()},
                                     ranking_parameters_);
}

}  // namespace mf::pg
