#include "pg/cache/serving_model.hpp"

#include "pg/sql/ids.hpp"

namespace mf::pg {

ServingModel::ServingModel(const std::string& model_name, const ModelVersion& row, const StoredParameters& parameters,
                           std::shared_ptr<const void> memory)
    : name(model_name), version(row), items(memory.get()), memory_(std::move(memory)) {
    version.parameters = nullptr;  // belongs to the call
    const auto kind = [](Oid type) { return pg_call([type] { return id_kind_unsafe(type); }); };
    user_kind = kind(version.user_type);
    item_kind = kind(version.item_type);
    feedback = version.implicit ? Feedback::Implicit : Feedback::Explicit;
    duplicates = parameters.duplicates;
    ranking_parameters = parameters.ranking;
    ranking_fold_in.emplace(items.ranking().rows(), items.ranking().positions(), items.gram(), ranking_parameters);
    if (version.implicit) return;
    rating = parameters.rating;
    rating_fold_in.emplace(items.rating(), items.rating_bias(), *rating);
}

}  // namespace mf::pg
