// The ids of a trained model, for lookup.
#pragma once

#include <cstddef>

#include "core/base/parallel.hpp"
#include "core/data/ids.hpp"

namespace mf {

/// A view of one flat block of memory that holds no pointers: it may lie in memory that processes share. Index i is
/// that of the id in the table it was built from.
class SortedIds : public Ids {
  public:
    /// Bytes that the ids of a table take: 24 to 48 an id and a text's own bytes, or, for integers, 4 for each number
    /// from the least to the greatest, if these are at most kNumbersAnId times as many as there are ids: then many are
    /// looked up by one access to memory each, instead of two or more. O(n) for integers.
    static constexpr std::uint64_t kNumbersAnId = 16;
    static std::size_t bytes(const Ids& table);
    using Ids::bytes;

    /// Copies a table into `memory`, which has bytes() bytes and is aligned to 8. O(n).
    static void build(const Ids& table, void* memory, Environment& environment);

    SortedIds() = default;
    /// Refers to what build() has made.
    explicit SortedIds(const void* memory);
};

}  // namespace mf
