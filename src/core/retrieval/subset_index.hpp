// Some of the items of an index as an index of their own, for many queries that may find these only.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/array.hpp"
#include "core/retrieval/top_n.hpp"

namespace mf {

/// Searching it gives the same lists as searching all items for candidates, in the time that so many items take.
class SubsetIndex {
  public:
    /// Bytes that a subset takes, and while it is made.
    static std::size_t bytes(const ItemIndex& all, std::size_t items);

    /// items: of `all`, ascending and distinct. O(all.items() + items · (k + log items)).
    SubsetIndex(const ItemIndex& all, std::vector<std::uint32_t> items, Environment& environment);

    /// The items in ascending order. What the index calls an item is a position here.
    const std::vector<std::uint32_t>& items() const { return items_; }
    const ItemIndex& index() const { return index_.get(); }

    /// Replaces items of the whole index by positions, and leaves out the others.
    void to_positions(std::vector<std::uint32_t>& items) const;

    /// Replaces the positions in a list by items of the whole index.
    void to_items(std::vector<ScoredItem>& list) const;

  private:
    std::vector<std::uint32_t> items_;
    Array<std::uint32_t> position_of_;  ///< of each item of the whole index, or kNone
    OwnedItemIndex index_;
};

}  // namespace mf
