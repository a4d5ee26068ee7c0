// Vectors in 16-bit codes, by which nearly all pairs of an item and a score are told apart without a product in single
// precision. With an item x = s·z + r and a query q = t·v + p in codes z and v,
//
//     |q·x − s·t·(v·z)|  ≤  |p|·|s·z| + |q|·|r|
//
// This is the bound of item_index.hpp with finer codes: there one side of it rules items out, here both sides count
// those above and those below.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/array.hpp"
#include "core/base/parallel.hpp"
#include "core/evaluation/rank_kernels.hpp"
#include "core/retrieval/item_index.hpp"

namespace mf {

/// Codes of the items of an index, in its order of positions. Takes 2 bytes a factor and item.
class RankCodes {
  public:
    /// Refers to `items`, which has to live as long. O(items · k), on all threads.
    RankCodes(const ItemIndex& items, Environment& environment);

    const ItemIndex& items() const { return items_; }

    /// What kRankBlock positions share; none of the numbers but the scale is too small.
    struct Block {
        double scale = 1;      ///< s
        double norm = 0;       ///< greatest |x|; infinity if an item is not finite
        double code_norm = 0;  ///< greatest |s·z|
        double error = 0;      ///< greatest |r|
    };
    std::size_t blocks() const { return blocks_.size(); }
    const Block& block(std::size_t b) const { return blocks_[b]; }
    /// Codes of the positions from kRankPanel·panel on, as RankKernels::products reads them; zeros after the last item.
    const std::int16_t* panel(std::size_t panel) const { return codes_.data() + panel * kRankPanel * items_.stride(); }

  private:
    Block encode(std::size_t block);

    const ItemIndex& items_;
    Array<std::int16_t> codes_;
    std::vector<Block> blocks_;
};

/// A query in codes, and what is needed to bound its scores.
class RankQuery {
  public:
    /// query and codes have `stride` elements; the codes are written.
    RankQuery(const float* query, std::size_t stride, std::int16_t* codes);

    /// A value (see rank_kernels.hpp) below low is of an item whose score is less than the given one, a value from high
    /// on of an item whose score is greater; in between the score has to be computed. Scores are those of
    /// Kernels::dot. INT32_MIN is below every low.
    struct Limits {
        std::int32_t low;
        std::int32_t high;
    };
    Limits limits(const RankCodes::Block& block, float score) const;

  private:
    double norm_ = 0;
    double scale_ = 1;
    double error_;
    double rounding_;
    double underflow_;
};

}  // namespace mf
