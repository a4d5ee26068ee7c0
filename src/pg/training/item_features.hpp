// Features of the items of a training run: read before the source, joined with its items after.
#pragma once

#include "core/data/features.hpp"
#include "pg/training/train_arguments.hpp"

namespace mf::pg {

/// What a training run knows of its items.
class ItemFeatures {
  public:
    /// Reads the relation that the arguments name, if they name one, with the rights of the current user. Throws as
    /// read_features(), and data_exception if the relation has no feature.
    ItemFeatures(const TrainArguments& arguments, Environment& environment);

    /// Bytes that a training run needs for them beside what it needs for that many items and interactions.
    std::size_t memory(const TrainOptions& options) const;

    /// Adds the items that have features alone to the dataset, says by a NOTICE how many they are, and takes the
    /// features of its items. Once, when the source was read.
    void join(Dataset& dataset, Environment& environment);

    /// After join(); null if there are none.
    const FeatureValues* values() const { return values_ ? &*values_ : nullptr; }

    /// Names of the features; only where there are any.
    const Ids& names() const { return features_->rows.items; }

  private:
    std::string name_;  ///< of the relation
    std::optional<FeatureRows> features_;
    std::optional<FeatureValues> values_;
};

}  // namespace mf::pg
