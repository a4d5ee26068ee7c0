// The items that users are folded in by between two solutions of some of the items: those of a model, and in the place
// of some, or beside them, those that were solved.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/linalg/eigenbasis.hpp"
#include "core/training/fold_in.hpp"
#include "core/training/item_step.hpp"

namespace mf {

/// The items of a model, by their index.
struct ModelItems {
    RankingItems ranking;  ///< the Gram matrix has those with interactions only
    RatingItems rating;    ///< no rows for implicit feedback
    std::span<const std::uint32_t> interactions;
};

/// Items that were solved: row r of each part is that of columns[r].
struct ItemRows {
    std::span<const std::uint32_t> columns;
    FactorView ranking;
    RatingItems rating;  ///< no rows for implicit feedback
};

/// Holds the items of the columns of some users' rows; the Gram matrix is that of all items of the model. The ranking
/// factors are in the eigenbasis of the Gram matrix, where a short history takes a system of its own size.
class ItemsForUsers {
  public:
    static constexpr std::uint32_t kUnknown = ~std::uint32_t{0};

    /// model_items: for each column the item's index in the model, or kUnknown. Columns that are neither known nor
    /// solved are unknown here, too. Throws NumericalFailure if the Gram matrix is not finite. O(columns · k² + k³),
    /// the last on the calling thread.
    ItemsForUsers(const ModelItems& model, std::span<const std::uint32_t> model_items, const ItemRows& solved,
                  Environment& environment);

    /// Bytes that an object takes, and takes while it is made.
    static std::size_t bytes(std::size_t columns, int ranking_factors, int rating_factors);

    /// For each column the item's index here, or kUnknown.
    std::span<const std::uint32_t> indices() const { return indices_; }
    RankingItems ranking() const { return {ranking_, {}, GramMatrix(gram_.data(), ranking_.factors())}; }
    RatingItems rating() const { return {rating_, rating_bias_}; }

    /// Rotates users from where the factors of the model are to where ranking() is, and back. No rows are left alone.
    void rotate(MutableFactorView users, Environment& environment) const {
        if (users.rows() > 0) back_.inverse().rotate(users, environment);
    }
    void rotate_back(MutableFactorView users, Environment& environment) const { back_.rotate(users, environment); }

  private:
    ItemsForUsers(const ModelItems& model, std::span<const std::uint32_t> model_items, const ItemRows& solved,
                  const GramMatrix& gram, Environment& environment);
    ItemsForUsers(const ModelItems& model, std::span<const std::uint32_t> model_items, const ItemRows& solved,
                  const GramMatrix& gram, const Eigenbasis& basis, Environment& environment);

    std::vector<std::uint32_t> indices_;
    FactorMatrix ranking_;
    FactorMatrix rating_;
    Array<float> rating_bias_;
    GramMatrix gram_;
    Eigenbasis back_;
};

}  // namespace mf
