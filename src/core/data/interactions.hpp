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

namespace mf {

/// What was read from a source: sorted ids and one row of the matrix per user. No user and no item without
/// entries.
struct Dataset {
    IdTable users;
    IdTable items;
    Csr by_user;
    std::uint64_t rows_read = 0;  ///< before duplicates were merged
};

class CellBlocks;

/// Collects rows in any order and turns them into a Dataset that does not depend on that order.
/// Memory: 12 bytes a row (20 with times) while rows arrive, in chunks that are released as they are
/// consumed.
class InteractionsBuilder {
  public:
    InteractionsBuilder(IdKind users, IdKind items, bool with_times);
    ~InteractionsBuilder();

    /// The tables that number the ids. Every id interned must get a row: a skipped row must not be interned.
    IdTable& users() { return users_; }
    IdTable& items() { return items_; }
    std::uint64_t rows() const { return rows_; }

    /// Adds one row; user and item are indices that the tables above have given. O(1). InvalidData if the
    /// value is not finite or the time is not a number; the caller, who knows the row, should look before and
    /// say more.
    void add(std::uint32_t user, std::uint32_t item, float value, double time = 0.0);

    /// Adds `count` rows, all of them or, if it throws InvalidData, none; times are not looked at without times.
    void add(std::size_t count, const std::uint32_t* users, const std::uint32_t* items, const float* values,
             const double* times);

    /// Bytes of memory held now.
    std::size_t memory() const;

    /// Sorts ids and rows, merges duplicates by the rule. Throws InvalidData if there are no rows, on a
    /// duplicate under Duplicates::Error, or if a merged value leaves the range of float; the message names
    /// the first such pair in the order of ids. Duplicates::Last takes the value with the greatest time,
    /// among equal times the greatest value. Order-independent: equal cells are ordered by (time, value)
    /// before they are summed, in double precision. O(rows) unless most are duplicates. Peak memory about 20
    /// bytes a row (36 with times), the rows collected included.
    Dataset finish(Duplicates rule, Environment& environment) &&;

  private:
    struct Chunk;
    void add_chunk();
    template <class Row>
    Csr finish_as(Duplicates rule, Environment& environment);
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

/// Bytes of the counters by which InteractionsBuilder puts rows in order, beside the rows: 8 for each chunk of rows and
/// each block of cells. They are few unless there are very many users and items.
double builder_counter_bytes(std::uint64_t users, std::uint64_t items, std::uint64_t rows);

}  // namespace mf
