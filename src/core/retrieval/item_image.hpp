// All data about a model's items that serving needs, in one block of memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/data/ids.hpp"
#include "core/data/sorted_ids.hpp"
#include "core/linalg/normal_equations.hpp"
#include "core/retrieval/item_index.hpp"

namespace mf {

/// The items of a model as they are read; row i of each part belongs to the i-th id in order.
struct ItemParts {
    IdTable ids{IdKind::Integer};
    Array<std::uint32_t> interactions;
    Array<float> popularity;  ///< interactions by their age; empty: all count alike
    FactorMatrix ranking;
    FactorMatrix rating;       ///< no rows for implicit feedback
    Array<float> rating_bias;  ///< likewise
};

/// A view of one flat block of memory that holds no pointers: it may lie in memory that processes share. Item i is row
/// i of the parts it was built from.
class ItemImage {
  public:
    /// Bytes that an image takes: about 5 bytes per item and ranking factor, 4 per item and rating factor, plus 60 to
    /// 90 per item.
    static std::size_t bytes(const ItemParts& parts);

    /// A lower bound before anything is read: the same without the ids, whose texts are not known. At most 2^32 - 2
    /// items. rating_factors: 0 for implicit feedback.
    static std::size_t least_bytes(std::size_t items, int factors, int rating_factors);

    /// Builds the image in `memory`, which has bytes() bytes and is aligned to 64. O(items · (k² + log items)).
    static void build(const ItemParts& parts, void* memory, Environment& environment);

    ItemImage() = default;
    /// Refers to an image that build() has built.
    explicit ItemImage(const void* memory);

    std::uint32_t size() const { return ids_.size(); }
    const SortedIds& ids() const { return ids_; }
    /// Interactions of each item in the training run.
    std::span<const std::uint32_t> interactions() const { return interactions_; }
    /// All items, most popular first, ties by index. Items without interactions come last.
    std::span<const std::uint32_t> by_popularity() const { return by_popularity_; }
    /// The ranking factors.
    const ItemIndex& ranking() const { return *ranking_; }
    /// The Gram matrix of the ranking factors of items with interactions, with the same bits as in the training run.
    GramMatrix gram() const { return {gram_, ranking_->factors()}; }
    bool has_rating() const { return rating_.rows() > 0; }
    FactorView rating() const { return rating_; }
    std::span<const float> rating_bias() const { return rating_bias_; }

  private:
    SortedIds ids_;
    std::span<const std::uint32_t> interactions_;
    std::span<const std::uint32_t> by_popularity_;
    std::optional<ItemIndex> ranking_;
    const float* gram_ = nullptr;
    FactorView rating_;
    std::span<const float> rating_bias_;
};

}  // namespace mf
