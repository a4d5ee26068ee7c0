#include "pg/cache/serving_model.hpp"

#include "pg/sql/ids.hpp"

namespace mf::pg {

namespace {

IdKind kind_of(Oid type) {
    return pg_call([type] { return id_kind_unsafe(type); });
}

/// The rule for the rows of a history.
Duplicates rule_of(Duplicates stored, Feedback feedback) {
    TrainOptions options;
    options.feedback = feedback;
    if (stored != Duplicates::Error) options.duplicates = stored;
    return options.duplicates_rule();
}

}  // namespace

ServedVersion::ServedVersion(const std::string& model_name, const ModelVersion& row, const StoredParameters& parameters,
                             std::shared_ptr<const void> memory)
    : name(model_name),
      version(row),
      user_kind(kind_of(row.user_type)),
      item_kind(kind_of(row.item_type)),
      feedback(row.implicit ? Feedback::Implicit : Feedback::Explicit),
      duplicates(rule_of(parameters.duplicates, feedback)),
      items(memory.get()),
      parameters_(parameters),
      memory_(std::move(memory)) {
    version.parameters = nullptr;  // belongs to the call
    if (!version.implicit) rating = parameters.scale;
}

ModelItems ServedVersion::all_items() const {
    return {{items.ranking().rows(), items.ranking().positions(), items.gram()},
            {items.rating(), items.rating_bias()},
            items.interactions()};
}

std::unique_ptr<RankingFoldIn> ServedVersion::new_ranking_fold_in() const {
    return parameters_.ranking_trainer->fold_in(all_items().ranking, parameters_.ranking);
}

std::unique_ptr<RatingFoldIn> ServedVersion::new_rating_fold_in() const {
    if (!rating) return nullptr;
    return parameters_.rating_trainer->fold_in(all_items().rating, *rating, parameters_.rating);
}

}  // namespace mf::pg
