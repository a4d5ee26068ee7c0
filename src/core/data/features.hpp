// Features of items or of users as they were read, and how they meet those of a training run.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/data/interactions.hpp"

namespace mf {

/// What was read: the users are the ids, the items are the features by their names; both are sorted. Each id has a
/// value for each of its features: 1 for a category, or the sum of its weights; the mean of the numbers for a number.
struct FeatureRows {
    Dataset rows;
    std::vector<bool> is_number;  ///< of each feature, by its index in rows.items
};

/// What is read where no id, which would be of `kind`, has a feature.
inline FeatureRows no_features(IdKind kind) { return {Dataset{IdTable(kind), IdTable(IdKind::Text), {}, {}, 0}, {}}; }

/// Features of the items or the users of a model: a row for each of them, with a value for each feature that it has,
/// and a column for each feature.
struct FeatureValues {
    Csr rows;
    std::vector<bool> is_number;  ///< of each column
};

/// Adds the ids that are no items yet as items without interactions, and returns how many they are. The ids are of the
/// items' kind. O(entries + items).
std::uint32_t add_items(Dataset& dataset, const Ids& ids, Environment& environment);

/// The features of the ids of `side`, items or users: row r is that of id r. Others are left out. O(entries), with
/// checkpoints, as are the functions below.
FeatureValues values_of_ids(const FeatureRows& features, const Ids& side, Environment& environment);

/// What is known of the items and users of a training run besides their interactions; null: nothing.
struct KnownFeatures {
    const FeatureValues* items = nullptr;
    const FeatureValues* users = nullptr;
};

/// The same rows with the columns of `to`, by their names, which both tables have in order; values of other columns are
/// left out. O(entries + columns).
Csr with_columns(const Csr& rows, const Ids& names, const Ids& to, Environment& environment);

/// The rows that have a number, which is below `count` and ascends with them: row numbers[i] of the result is row i.
/// O(entries).
FeatureValues take_rows(const FeatureValues& values, const std::vector<std::uint32_t>& numbers, std::uint32_t count,
                        Environment& environment);

}  // namespace mf
