// Features of the items and of the users of a training run: read before the source, joined with it after.
#pragma once

#include "core/data/features.hpp"
#include "pg/sql/catalog.hpp"
#include "pg/training/train_arguments.hpp"

namespace mf::pg {

/// What a training run knows of its items and users besides their interactions.
class TrainingFeatures {
  public:
    /// Reads the relations that the arguments name, if they name any, with the rights of the current user. Throws as
    /// read_features(), and data_exception if a relation has no feature.
    TrainingFeatures(const TrainArguments& arguments, Environment& environment);

    /// Bytes that a training run of so many users and items needs for them beside what it needs anyway; while these are
    /// not known, those with features count.
    std::size_t memory(const TrainOptions& options, std::uint64_t users = 0, std::uint64_t items = 0) const;

    /// Adds the items that have features alone to the dataset, and takes the features of its items and users. Says by
    /// NOTICEs how many items and users have features and no interactions. Once, when the source was read.
    void join(Dataset& dataset, Environment& environment);

    /// After join().
    KnownFeatures values() const { return {items_.known(), users_.known()}; }

    /// Names of the features of one side; null if there are none.
    const Ids* names(Side side) const {
        const OneSide& of = side == Side::Items ? items_ : users_;
        return of.features ? &of.features->rows.items : nullptr;
    }

  private:
    struct OneSide {
        std::string name;  ///< of the relation
        std::optional<FeatureRows> features;
        std::optional<FeatureValues> values;

        void read(const FeatureRelation& relation, const char* option, Environment& environment);
        void take(const Ids& ids, Environment& environment);
        std::size_t memory(const TrainOptions& options, std::uint64_t rows) const;
        const FeatureValues* known() const { return values ? &*values : nullptr; }
    };
    OneSide items_;
    OneSide users_;
};

}  // namespace mf::pg
