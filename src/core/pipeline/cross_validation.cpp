#include "core/pipeline/cross_validation.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/data/numbering.hpp"
#include "core/pipeline/find_options.hpp"
#include "core/pipeline/train.hpp"

namespace mf {
namespace {

constexpr std::uint32_t kNone = Numbering::kNone;

/// A cell of the fold whose user, item or both have no cells to train on: kNone.
struct PartlyKnown {
    std::uint32_t user;
    std::uint32_t item;
    float value;
};

/// A fold as the trainers see it: users and items that have cells to train on, items that have features, and no others.
struct Fold {
    Csr train;
    Csr test;          ///< of the users and items above
    Csr test_of_cold;  ///< a row for each user of the fold without cells to train on
    std::vector<PartlyKnown> partly_known;
    IdHashes hashes;
    std::optional<FeatureValues> item_features;
};

/// The items that a model of these cells has.
Numbering model_items(const Csr& cells, const FeatureValues* item_features) {
    std::vector<bool> known = occupied_columns(cells);
    if (item_features != nullptr)
        for (std::uint32_t item = 0; item < known.size(); ++item)
            if (item_features->rows.row_size(item) > 0) known[item] = true;
    return Numbering(known);
}

/// Cells that belong to known items, of the users that are (not) cold.
Csr known_cells(const Csr& test, const Numbering& users, const Numbering& items, bool cold) {
    std::vector<std::uint64_t> offsets{0};
    std::vector<std::uint32_t> columns;
    std::vector<float> values;
    for (std::uint32_t user = 0; user < test.rows(); ++user) {
        if ((users.number[user] == kNone) != cold) continue;
        for (std::size_t i = 0; i < test.row_size(user); ++i) {
            const std::uint32_t item = items.number[test.row_columns(user)[i]];
            if (item == kNone) continue;
            columns.push_back(item);
            values.push_back(test.row_values(user)[i]);
        }
        if (!cold || columns.size() > offsets.back()) offsets.push_back(columns.size());
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

std::vector<PartlyKnown> partly_known_cells(const Csr& test, const Numbering& users, const Numbering& items) {
    std::vector<PartlyKnown> cells;
    for (std::uint32_t user = 0; user < test.rows(); ++user) {
        for (std::size_t i = 0; i < test.row_size(user); ++i) {
            const std::uint32_t item = items.number[test.row_columns(user)[i]];
            if (users.number[user] == kNone || item == kNone)
                cells.push_back({users.number[user], item, test.row_values(user)[i]});
        }
    }
    return cells;
}

Fold make_fold(const Csr& cells, const IdHashes& hashes, const FeatureValues* item_features, std::uint32_t fold,
               std::uint32_t folds, std::uint64_t seed, Environment& environment) {
    HoldOut parts = hold_out_fold(cells, hashes, fold, folds, seed, environment);
    if (parts.train.entries() == 0)
        throw InvalidData(
            "fold " + std::to_string(fold) + " of " + std::to_string(folds) + " leaves nothing to train on", {},
            "Use more rows, or another number of folds.");
    const Numbering users = users_of(parts.train);
    const Numbering items = model_items(parts.train, item_features);
    Fold result;
    result.test = known_cells(parts.test, users, items, false);
    result.test_of_cold = known_cells(parts.test, users, items, true);
    result.partly_known = partly_known_cells(parts.test, users, items);
    if (item_features != nullptr) result.item_features = take_items(*item_features, items.number, items.count);
    result.hashes = {users.take(hashes.users), items.take(hashes.items)};
    renumber(parts.train, users, items);
    result.train = std::move(parts.train);
    return result;
}

/// What is not known has neither factors nor bias.
PredictionErrors measure_partly_known(const RatingModel& model, const std::vector<PartlyKnown>& cells) {
    PredictionErrors errors;
    for (const PartlyKnown& cell : cells) {
        const double user_bias = cell.user == kNone ? 0 : static_cast<double>(model.user_bias[cell.user]);
        const double item_bias = cell.item == kNone ? 0 : static_cast<double>(model.item_bias[cell.item]);
        errors.add(std::clamp(model.scale.mean + user_bias + item_bias, model.scale.minimum, model.scale.maximum) -
                   static_cast<double>(cell.value));
    }
    return errors;
}

ListMetrics measure_order(std::span<const std::uint32_t> order, const Csr& test, std::size_t k) {
    ListMetrics metrics;
    for (std::uint32_t user = 0; user < test.rows(); ++user) {
        const auto relevant = test.row_columns(user);
        metrics.add({hit_positions(order, relevant, k), relevant.size()}, k);
    }
    return metrics;
}

}  // namespace

FoldResult validate_fold(const Csr& cells, const IdHashes& hashes, std::uint32_t fold, std::uint32_t folds,
                         const TrainOptions& options, std::size_t k, Environment& environment,
                         const FeatureValues* item_features) {
    const std::uint64_t seed = options.seed;
    const Fold data = make_fold(cells, hashes, item_features, fold, folds, seed, environment);
    std::optional<HoldOut> held_out;
    if (options.test_fraction > 0)
        held_out = hold_out(data.train, data.hashes, options.test_fraction, seed, environment);
    TrainSummary summary;
    const TrainOptions found =
        options.search.enabled
            ? find_options(held_out ? held_out->train : data.train, data.hashes, options, environment).options
            : options;
    const Model model = train_factors(data.train, held_out ? &*held_out : nullptr, found, environment, nullptr,
                                      data.item_features ? &*data.item_features : nullptr, summary);

    FoldResult result;
    if (model.rating) {
        result.predictions = measure_predictions(*model.rating, data.test, environment);
        result.predictions += measure_partly_known(*model.rating, data.partly_known);
    }
    result.lists = measure_lists(model.ranking, data.train, data.test, k, environment);
    if (data.test_of_cold.rows() > 0)
        result.lists += measure_order(by_popularity(data.train, environment), data.test_of_cold, k);
    return result;
}

}  // namespace mf
