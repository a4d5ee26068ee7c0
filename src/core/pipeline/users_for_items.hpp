// The users that items are solved against between two training runs: as the model has them where their histories are
// those of the training, otherwise folded in.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/data/csr.hpp"
#include "core/linalg/gram_matrix.hpp"
#include "core/pipeline/items_for_users.hpp"
#include "core/training/fold_in.hpp"
#include "core/training/item_step.hpp"

namespace mf {

/// Factors of a user as a model has them; spans of k floats. Without rating factors for implicit feedback.
struct StoredUser {
    std::span<const float> ranking;
    std::span<const float> rating;
    float rating_bias = 0;
};

/// What users are drawn to, where a model has a map from their features: a row for each of them, in the basis of the
/// model's factors. Without rows: zero.
struct UserCenters {
    FactorView ranking;
    FactorView rating;  ///< no rows for implicit feedback
    std::span<const float> rating_bias;
};

/// Solvers for one thread each, and the items that they solve by.
struct FoldIns {
    std::function<std::unique_ptr<RankingFoldIn>()> ranking;
    std::function<std::unique_ptr<RatingFoldIn>()> rating;  ///< empty for implicit feedback
    /// For each column of the users' rows the item's index, or kUnknown; ascending where it is known.
    std::span<const std::uint32_t> items;
    UserCenters centers = {};
};

/// Collects the users of the rows of by_user, and what the other users of the model add to the Gram matrix. Memory:
/// that of the factors of the first.
class UsersForItems {
  public:
    static constexpr std::uint32_t kUnknown = ItemsForUsers::kUnknown;

    /// by_user: whole histories, which must outlive this object. rating_factors: 0 for implicit feedback.
    UsersForItems(const Csr& by_user, int ranking_factors, int rating_factors, Environment& environment);

    /// A user of by_user whose history of known items is the one that the stored factors were solved from.
    void take(std::uint32_t user, const StoredUser& stored);

    /// A user of the model who is not in by_user. O(k²).
    void add_other(std::span<const float> ranking);

    /// Solves the users that were not taken from what they have of known items, on all threads; without any, they are
    /// their centers. To be called once, after all users were passed. Throws NumericalFailure. The same bits for
    /// any number of threads.
    void fold_in(const FoldIns& fold_ins, Environment& environment);

    /// After fold_in(), as often as wanted: solves all users of by_user by these items, the taken ones, too. `fold_ins`
    /// are those of the items.
    void fold_in_again(const ItemsForUsers& items, const FoldIns& fold_ins, Environment& environment);

    /// After fold_in(): the arguments of the items' half-steps. They refer to this object.
    RankingUsers ranking() const;
    RatingUsers rating() const { return {rating_, rating_bias_}; }

  private:
    void add_others();
    void solve(const FoldIns& fold_ins, FactorView ranking_centers, Environment& environment);
    void sum_up(Environment& environment);

    const Csr& by_user_;
    std::vector<bool> taken_;
    FactorMatrix ranking_;
    FactorMatrix rating_;
    Array<float> rating_bias_;
    FactorMatrix others_;  ///< a block of them
    std::size_t others_in_block_ = 0;
    GramSums others_gram_;
    GramSums gram_;            ///< of all users
    std::uint64_t count_ = 0;  ///< of all users
};

}  // namespace mf
