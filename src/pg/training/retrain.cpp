#include "pg/training/retrain.hpp"

#include <algorithm>
#include <numeric>

#include "core/base/error.hpp"
#include "pg/models/factor_rows.hpp"
#include "pg/models/model_source.hpp"
#include "pg/models/parameters.hpp"

namespace mf::pg {

TrainArguments retrain_arguments(const std::string& model, const ModelVersion& version) {
    require_source(model, version.source);
    const StoredArguments stored = read_arguments(version.parameters, version_label(model, version.version));
    RawTrainArguments raw{};
    raw.source = version.source;
    raw.model = model.c_str();
    raw.user_column = NameStr(version.user_column);
    raw.item_column = NameStr(version.item_column);
    raw.rating_column = name_or_null(version.rating_column);
    raw.feedback = version.implicit ? "implicit" : "explicit";
    raw.algorithm = NameStr(version.algorithm);
    raw.factors = stored.factors;
    raw.iterations = stored.iterations;
    raw.regularization = stored.regularization;
    raw.test_fraction = stored.test_fraction;
    raw.seed = stored.seed;
    raw.options = stored.options;
    const auto text = [](Jsonb* json) {
        return pg_call([json] { return JsonbToCString(nullptr, &json->root, static_cast<int>(VARSIZE(json))); });
    };
    raw.options_text = text(stored.options);
    raw.repeats = true;
    raw.item_features = version.features.items.value_or(InvalidOid);
    raw.user_features = version.features.users.value_or(InvalidOid);
    raw.tenant_column = version.tenant.column_or_null();
    raw.tenant = version.tenant.value_or_null();
    raw.found = stored.found;
    if (raw.found != nullptr) raw.found_text = text(raw.found);
    try {
        return check_train_arguments(raw);
    } catch (const Error& e) {  // what the training run accepted once is refused now
        throw SqlError(ERRCODE_DATA_CORRUPTED, version_label(model, version.version) + " is damaged",
                       std::string("Its parameters: ") + e.what() + ".", "Train the model again.");
    } catch (const SqlError& e) {
        throw SqlError(e.sqlstate(), e.what(), e.detail(),
                       "The source has changed since model \"" + model + "\" was trained. Train it with mf_train.");
    }
}

std::optional<WarmStart> read_warm_start(const Catalog& catalog, const ModelVersion& version, const IdTable& items,
                                         std::span<const std::uint32_t> interactions, const TrainOptions& options) {
    const bool is_explicit = options.feedback == Feedback::Explicit;
    WarmStart start;
    start.ranking.items = FactorMatrix(items.size(), options.factors);
    const int rating_factors = is_explicit ? options.rating_factors_or_default() : 0;
    if (is_explicit)
        start.rating = RatingStart{FactorMatrix(items.size(), rating_factors), Array<float>(items.size(), 0.0f)};
    std::uint64_t of_known = 0;
    read_item_factors(catalog, version.model_id, {options.factors, rating_factors}, [&](const FactorRow& row) {
        const std::optional<Id> id = parse_id(row.id, items.kind());
        const std::optional<std::uint32_t> item = id ? id->find_in(items) : std::nullopt;
        if (!item) return;  // no interaction left
        of_known += interactions[*item];
        std::ranges::copy(row.ranking_factors, start.ranking.items.row(*item));
        if (!is_explicit) return;
        std::ranges::copy(row.rating_factors, start.rating->items.row(*item));
        start.rating->item_bias[*item] = row.rating_bias;
    });
    const std::uint64_t all = std::accumulate(interactions.begin(), interactions.end(), std::uint64_t{0});
    if (2 * of_known < all) return std::nullopt;
    return start;
}

}  // namespace mf::pg
