// The ratings as the trainers see them: ids interned, duplicates merged, sparse rows by user and by item.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/array.hpp"
#include "core/base/parallel.hpp"
#include "core/data/csr.hpp"
#include "core/data/duplicates.hpp"
#include "core/data/ids.hpp"
#include "core/data/recency.hpp"

namespace mf {

/// What was read from a source: sorted ids and one row of the matrix per user. Every user and every item has entries.
struct Dataset {
    IdTable users;
    IdTable items;
    Csr by_user;
    Array<std::uint64_t> repeated;  ///< rows of each item beyond its entries: those that were merged into others
    std::uint64_t rows_read = 0;    ///< before duplicates were merged
    Recency recency = {};           ///< by which by_user has weights
    Array<float> popularity = {};   ///< of each item the weights of its entries, summed; empty: all weigh 1
};

/// How cells count that are not all alike.
struct Counting {
    Recency recency = {};
    bool popular_if_liked = false;  ///< the popularity of an item counts cells above zero alone
};

class CellBlocks;

/// Collects rows in any order and turns them into a Dataset that does not depend on that order.
/// Memory: 12 bytes per row (20 with times) while rows arrive, in chunks that are released as they are consumed.
class InteractionsBuilder {
  public:
    InteractionsBuilder(IdKind users, IdKind items, bool with_times);
    ~InteractionsBuilder();

    /// The tables that number the ids. Every interned id must get a row: do not intern the ids of skipped rows.
    IdTable& users() { return users_; }
    IdTable& items() { return items_; }
    std::uint64_t rows() const { return rows_; }

    /// Adds one row; user and item are indices from the tables above. O(1). InvalidData if the value is not finite or
    /// the time is not a number; the caller, who knows the row, should check before and give a better message.
    void add(std::uint32_t user, std::uint32_t item, float value, double time = 0.0);

    /// Adds `count` rows: all of them or, if it throws InvalidData, none. Ignores `times` if the builder has no times.
    void add(std::size_t count, const std::uint32_t* users, const std::uint32_t* items, const float* values,
             const double* times);

    /// Bytes of memory currently allocated.
    std::size_t memory() const;

    /// Sorts ids and rows, and merges duplicates by the rule. Throws InvalidData if there are no rows, on a duplicate
    /// under Duplicates::Error, or if a merged value leaves the range of float; the message names the first such pair
    /// in the order of ids. Duplicates::Last takes the value with the latest time and, of equal times, the greatest
    /// value. The result does not depend on the order of the rows: the rows of a cell are sorted by (time, value)
    /// before they are summed, in double precision. O(rows) unless most are duplicates. Peak memory about 20 bytes per
    /// row (36 with times, 40 with weights), the collected rows included. A recency gives cells weights
    /// (MergedValue::weight) and items their popularity; without a newest time, NaN, its newest is that of the rows:
    /// InvalidData if none has one that is finite.
    Dataset finish(Duplicates rule, Environment& environment, Counting counting = {}) &&;

  private:
    struct Chunk;
    struct ItemCounts;
    void add_chunk();
    template <class Row>
    Csr finish_as(Duplicates rule, const Counting& counting, ItemCounts& counts, Environment& environment);
    double newest_time() const;
    Csr scatter(const CellBlocks& blocks, const std::vector<std::uint32_t>& user_rank,
                const std::vector<std::uint32_t>& item_rank, std::vector<std::uint64_t>& begins, Array<double>& times,
                Environment& environment);

    IdTable users_;
    IdTable items_;
    bool with_times_;
    std::uint64_t rows_ = 0;
    std::size_t chunk_bytes_ = 0;
    std::vector<std::unique_ptr<Chunk>> chunks_;
};

/// Bytes of the counters with which InteractionsBuilder sorts rows, beside the rows themselves: 8 for each chunk of
/// rows and each block of cells. They are few unless there are very many users and items.
double builder_counter_bytes(std::uint64_t users, std::uint64_t items, std::uint64_t rows);

}  // namespace mf
