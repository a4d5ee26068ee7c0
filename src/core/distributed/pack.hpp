// From the interactions of a source to the blocks of a distributed training run. Each step is a pure function of few
// blocks, so that it runs wherever these lie:
//
//   1. pack_users()       the interactions of a bucket of users: duplicates merged, held-out rows apart; columns are
//   the
//                         bucket's own
//   2. split_by_column()  what a bucket of users has of each bucket of items
//   3. join_parts()       a bucket of items from the parts of all buckets of users
//   4. number_columns()   a bucket of users whose columns are numbers of all items, from the ids of all buckets of
//   items
//
// A bucket has the ids of a range. So rows are numbered in the order of their ids, as in a Dataset: number = rows of
// the buckets before it + index in its bucket.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/data/interactions.hpp"
#include "core/distributed/rows_block.hpp"
#include "core/training/ials_weights.hpp"

namespace mf {

/// Bytes of a bucket: rows, ids, or a part of rows.
struct BucketBytes {
    std::uint32_t bucket;
    std::string_view bytes;
};
struct BucketBlock {
    std::uint32_t bucket;
    std::string bytes;
};

/// The greatest number of buckets of a side.
inline constexpr std::uint32_t kMostBuckets = 65536;

/// The numbers of a side: counts[b] rows are in bucket b.
class RowNumbers {
  public:
    /// Throws InvalidData if there are more rows than can be numbered.
    explicit RowNumbers(std::span<const std::uint32_t> counts);

    std::uint32_t buckets() const { return static_cast<std::uint32_t>(firsts_.size() - 1); }
    std::uint32_t rows() const { return firsts_.back(); }
    /// Number of the first row of a bucket, and how many there are. Throws InvalidData if there is no such bucket.
    std::uint32_t first(std::uint32_t bucket) const;
    std::uint32_t count(std::uint32_t bucket) const { return first(bucket + 1) - first(bucket); }

  private:
    std::vector<std::uint32_t> firsts_;
};

/// What steps 3 and 4 take beside blocks, as bytes and back.
struct PackArguments {
    std::vector<std::uint32_t> counts;        ///< rows in each bucket of the other side
    std::optional<IalsParameters> weighting;  ///< of implicit feedback

    std::string write() const;
    /// Throws InvalidData.
    static PackArguments read(std::string_view bytes);
};

/// A bucket of users: RowsBlock with ids of columns. Held out is the same as by hold_out() of the whole. O(entries).
std::string pack_users(const Dataset& bucket, double test_fraction, std::uint64_t seed, Environment& environment);

/// The parts of such a block for the buckets of items, those without entries left out: rows are items, columns are the
/// bucket's users, values are those to train on, or their interaction_weights() by `weighting` if that is not null.
/// O(entries).
std::vector<BucketBlock> split_by_column(const RowsView& users, const IdRanges& items, const IalsParameters* weighting,
                                         Environment& environment);

/// A bucket of items from its parts, each with the bucket of users that it is from; columns are numbers of users.
/// Throws InvalidData for parts that do not fit. O(entries).
std::string join_parts(std::vector<BucketBytes> parts, const RowNumbers& users, Environment& environment);

/// The block with the numbers of all items as columns; heads_of_items: RowHeads of each bucket of items. Without
/// held-out entries, whose users' weights depend on them, values become weights by `weighting`, if that is not null.
/// O(items + entries).
std::string number_columns(const RowsView& users, std::span<const BucketBytes> heads_of_items, const RowNumbers& items,
                           const IalsParameters* weighting, Environment& environment);

}  // namespace mf
