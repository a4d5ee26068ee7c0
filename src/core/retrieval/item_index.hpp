// Item factors arranged for exact retrieval of the best items for a query vector.
//
// Items are in descending order of their norm, so that by the Cauchy-Schwarz inequality a search can end once the norm
// of the next item times that of the query is below the n-th best score (Teflioudi, Gemulla, Mykytiuk: "LEMP: Fast
// Retrieval of Large Entries in a Matrix Product", SIGMOD 2015). Before that, a pass over 8-bit codes rules out most of
// the items: with an item x = s·z + r and a query q = t·v + p in codes z and v, both balanced (balanced.hpp),
//
//     q·x  ≤  s·t·(v·z) + |p|·|s·z| + |q|·|r|
//
// and only items whose bound reaches the n-th best score are scored in single precision. The result is the same as that
// of scoring every item.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/parallel.hpp"
#include "core/linalg/factor_matrix.hpp"
#include "core/retrieval/scan_kernels.hpp"

namespace mf {

/// A view of one flat block of memory that contains no pointers, so that processes can share it. An "item" is a row of
/// the matrix it was built from, a "position" an item's rank in the order of norms.
class ItemIndex {
  public:
    /// Bytes that an index takes.
    static std::size_t bytes(std::size_t items, int factors);

    /// Builds the index of a matrix in `memory`, which has bytes() bytes and is aligned to 64. At most 2^32 - 1 items.
    /// Rows that are not finite are kept and are scored by every search. O(items · (k + log items)).
    static void build(FactorView items, void* memory, Environment& environment);

    /// Refers to an index that build() has built.
    explicit ItemIndex(const void* memory);

    std::size_t items() const { return items_; }
    int factors() const { return factors_; }
    /// Floats of a row, as FactorMatrix::stride().
    std::size_t stride() const { return stride_; }
    const float* row(std::uint32_t item) const { return row_at(position_of_[item]); }
    /// Position of each item.
    std::span<const std::uint32_t> positions() const { return {position_of_, items_}; }
    /// The factors by position.
    FactorView rows() const { return {rows_, items_, factors_}; }

    const float* row_at(std::size_t position) const { return rows_ + position * stride_; }
    std::uint32_t item_at(std::size_t position) const { return item_at_[position]; }

    /// Numbers that 64 positions share; rounding never makes one of them too small.
    struct Group {
        float scale;      ///< s
        float norm;       ///< greatest |x|; infinity if an item is not finite
        float code_norm;  ///< greatest |s·z|
        float error;      ///< greatest |r|
    };
    std::size_t groups() const { return (items_ + kScanItems - 1) / kScanItems; }
    const Group& group(std::size_t g) const { return groups_[g]; }
    const std::int8_t* codes(std::size_t g) const { return codes_ + g * kScanItems * stride_; }
    const std::int32_t* corrections(std::size_t g) const { return corrections_ + g * kScanItems; }

  private:
    std::size_t items_ = 0;
    int factors_ = 0;
    std::size_t stride_ = 0;
    const float* rows_ = nullptr;
    const std::int8_t* codes_ = nullptr;  // in the layout of ScanKernels::at_least, one group after the other
    const std::int32_t* corrections_ = nullptr;
    const Group* groups_ = nullptr;
    const std::uint32_t* item_at_ = nullptr;
    const std::uint32_t* position_of_ = nullptr;
};

/// An index with its memory.
class OwnedItemIndex {
  public:
    OwnedItemIndex(FactorView items, Environment& environment)
        : memory_(ItemIndex::bytes(items.rows(), items.factors())), index_(built(items, environment)) {}
    const ItemIndex& get() const { return index_; }

  private:
    const void* built(FactorView items, Environment& environment) {
        ItemIndex::build(items, memory_.data(), environment);
        return memory_.data();
    }

    Array<char> memory_;
    ItemIndex index_;
};

}  // namespace mf
