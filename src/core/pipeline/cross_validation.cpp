#include "core/pipeline/cross_validation.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/pipeline/held_out.hpp"
#include "core/base/error.hpp"
#include "core/data/numbering.hpp"
#include "core/pipeline/find_options.hpp"
#include "core/pipeline/train.hpp"
#include "core/training/feature_map.hpp"

namespace mf {
namespace {

constexpr std::uint32_t kNone = Numbering::kNone;

/// A cell of the fold whose user, item or both have no cells to train on: kNone.
struct PartlyKnown {
    std::uint32_t user;
    std::uint32_t described_user;  ///< the row of Fold::features_of_described, or kNone
    std::uint32_t item;
    float value;
};

/// A fold as the trainers see it: users and items that have cells to train on, items that have features, and no others.
struct Fold {
    Csr train;
    Csr test;               ///< of the users and items above
    Csr test_of_described;  ///< of the users without cells to train on, but with features
    Csr test_of_unknown;    ///< of the others
    std::vector<PartlyKnown> partly_known;
    IdHashes hashes;
    std::optional<FeatureValues> item_features;
    std::optional<FeatureValues> user_features;
    std::optional<FeatureValues> features_of_described;  ///< a row for each row of test_of_described
};

/// The items that a model of these cells has.
Numbering model_items(const Csr& cells, const FeatureValues* item_features) {
    std::vector<bool> known = occupied_columns(cells);
    if (item_features != nullptr)
        for (std::uint32_t item = 0; item < known.size(); ++item)
            if (item_features->rows.row_size(item) > 0) known[item] = true;
    return Numbering(known);
}

/// Cells that belong to known items, of the users that have a number.
Csr known_cells(const Csr& test, const Numbering& users, const Numbering& items) {
    std::vector<std::uint64_t> offsets{0};
    std::vector<std::uint32_t> columns;
    std::vector<float> values;
    for (std::uint32_t user = 0; user < test.rows(); ++user) {
        if (users.number[user] == kNone) continue;
        for (std::size_t i = 0; i < test.row_size(user); ++i) {
            const std::uint32_t item = items.number[test.row_columns(user)[i]];
            if (item == kNone) continue;
            columns.push_back(item);
            values.push_back(test.row_values(user)[i]);
        }
        offsets.push_back(columns.size());
    }
    Csr result;
    result.column_count = items.count;
    result.offsets = Array<std::uint64_t>(offsets.size());
    result.columns = Array<std::uint32_t>(columns.size());
    result.values = Array<float>(values.size());
    std::ranges::copy(offsets, result.offsets.data());
    std::ranges::copy(columns, result.columns.data());
    std::ranges::copy(values, result.values.data());
    return result;
}

std::vector<PartlyKnown> partly_known_cells(const Csr& test, const Numbering& users, const Numbering& described,
                                            const Numbering& items) {
    std::vector<PartlyKnown> cells;
    for (std::uint32_t user = 0; user < test.rows(); ++user) {
        for (std::size_t i = 0; i < test.row_size(user); ++i) {
            const std::uint32_t item = items.number[test.row_columns(user)[i]];
            if (users.number[user] == kNone || item == kNone)
                cells.push_back({users.number[user], described.number[user], item, test.row_values(user)[i]});
        }
    }
    return cells;
}

Fold make_fold(const Csr& cells, const IdHashes& hashes, const KnownFeatures& features, std::uint32_t fold,
               std::uint32_t folds, const TrainOptions& options, Environment& environment) {
    HoldOut parts = hold_out_fold(cells, hashes, fold, folds, options.seed, environment);
    if (options.dislikes) keep_positive(parts.test);
    if (parts.train.entries() == 0)
        throw InvalidData(
            "fold " + std::to_string(fold) + " of " + std::to_string(folds) + " leaves nothing to train on", {},
            "Use more rows, or another number of folds.");
    const Numbering users = users_of(parts.train);
    std::vector<bool> has_features(cells.rows()), unknown(cells.rows());
    for (std::uint32_t user = 0; user < cells.rows(); ++user) {
        if (users.number[user] != kNone) continue;
        has_features[user] = features.users != nullptr && features.users->rows.row_size(user) > 0;
        unknown[user] = !has_features[user];
    }
    const Numbering described(has_features);
    const Numbering items = model_items(parts.train, features.items);
    Fold result;
    result.test = known_cells(parts.test, users, items);
    result.test_of_described = known_cells(parts.test, described, items);
    result.test_of_unknown = known_cells(parts.test, Numbering(unknown), items);
    result.partly_known = partly_known_cells(parts.test, users, described, items);
    if (features.items != nullptr)
        result.item_features = take_rows(*features.items, items.number, items.count, environment);
    if (features.users != nullptr) {
        result.user_features = take_rows(*features.users, users.number, users.count, environment);
        result.features_of_described = take_rows(*features.users, described.number, described.count, environment);
    }
    result.hashes = {users.take(hashes.users), items.take(hashes.items)};
    renumber(parts.train, users, items);
    result.train = std::move(parts.train);
    return result;
}

/// What is not known has neither factors nor bias, but for users of whom something is expected, with their bias as last
/// column.
PredictionErrors measure_partly_known(const RatingModel& model, const FactorMatrix& expected,
                                      const std::vector<PartlyKnown>& cells) {
    PredictionErrors errors;
    const int k = model.items.factors();
    for (const PartlyKnown& cell : cells) {
        double prediction = model.scale.mean;
        if (cell.user != kNone) prediction += static_cast<double>(model.user_bias[cell.user]);
        if (cell.item != kNone) prediction += static_cast<double>(model.item_bias[cell.item]);
        if (cell.described_user != kNone) {
            const float* user = expected.row(cell.described_user);
            prediction += static_cast<double>(user[k]);
            if (cell.item != kNone) prediction += std::inner_product(user, user + k, model.items.row(cell.item), 0.0);
        }
        errors.add(std::clamp(prediction, model.scale.minimum, model.scale.maximum) - static_cast<double>(cell.value));
    }
    return errors;
}

/// What is expected of the users without cells to train on, but with features.
FactorMatrix expected_users(const Fold& fold, const Model& model, const FactorMatrix& map, Environment& environment) {
    if (!fold.features_of_described) return {};
    return expected_factors(scale_features(fold.features_of_described->rows, model.user_features, environment), map,
                            environment);
}

/// Of the users with test cells.
ListMetrics measure_order(std::span<const std::uint32_t> order, const Csr& test, std::size_t k) {
    ListMetrics metrics;
    for (std::uint32_t user = 0; user < test.rows(); ++user) {
        const auto relevant = test.row_columns(user);
        if (relevant.empty()) continue;
        metrics.add({hit_positions(order, relevant, k), relevant.size()}, k);
    }
    return metrics;
}

}  // namespace

FoldResult validate_fold(const Csr& cells, const IdHashes& hashes, std::uint32_t fold, std::uint32_t folds,
                         const TrainOptions& options, std::size_t k, Environment& environment,
                         const KnownFeatures& features) {
    const Fold data = make_fold(cells, hashes, features, fold, folds, options, environment);
    std::optional<HoldOut> held_out;
    if (options.test_fraction > 0)
        held_out = held_out_rows(data.train, data.hashes, options.test_fraction, options, environment);
    TrainSummary summary;
    const TrainOptions found =
        options.search.enabled
            ? find_options(held_out ? held_out->train : data.train, data.hashes, options, environment).options
            : options;
    const KnownFeatures known{data.item_features ? &*data.item_features : nullptr,
                              data.user_features ? &*data.user_features : nullptr};
    Model model =
        train_factors(data.train, held_out ? &*held_out : nullptr, found, environment, nullptr, known, summary);

    FoldResult result;
    if (model.rating) {
        result.predictions = measure_predictions(*model.rating, data.test, environment);
        const FactorMatrix expected = expected_users(data, model, model.rating->user_map, environment);
        result.predictions += measure_partly_known(*model.rating, expected, data.partly_known);
    }
    result.lists = measure_lists(model.ranking, data.train, data.test, k, environment);
    if (data.test_of_described.entries() > 0) {
        model.ranking.users = expected_users(data, model, model.ranking.user_map, environment);
        const Csr nothing = without_entries(data.test_of_described.rows(), data.train.column_count);
        result.lists += measure_lists(model.ranking, nothing, data.test_of_described, k, environment);
    }
    if (data.test_of_unknown.entries() > 0)
        result.lists += measure_order(by_popularity(data.train, environment), data.test_of_unknown, k);
    return result;
}

}  // namespace mf
