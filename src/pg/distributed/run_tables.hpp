// The tables of one distributed training run, in the extension's schema and owned like it, and the statements on them.
//
//   rows     blocks of users and items (core/distributed/rows_block.hpp); a block lies at a place
//   parts    of items, before they are joined to blocks
//   shared   what every place needs of the others: factors by version, heads of rows, the step to run, sums of steps
//
// A place is one of the servers, where there are several that do not know of each other; what is shared is also at a
// last place, which is here. Otherwise there is one place. How the tables are laid out is the engine's business
// (engines.hpp); the statements are the same for all of them. A step is one INSERT … SELECT, whose groups are computed
// where the rows are: a join of a block with what is shared with its place, grouped by bucket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/distributed/schedule.hpp"
#include "pg/distributed/block_data.hpp"
#include "pg/sql/own_tables.hpp"

namespace mf::pg {

/// The raw users, whose columns are not numbered, stand in `rows` with this side until they are.
inline constexpr std::int32_t kRawUsers = 2;

struct BlockOfBucket {
    std::int32_t bucket;
    std::string bytes;
};

class RunTables {
  public:
    /// places: servers that do not know of each other, 0 if there is one or they do.
    RunTables(const Catalog& catalog, std::int64_t run, std::int32_t places)
        : catalog_(catalog), run_(run), places_(places) {}

    std::int64_t run() const { return run_; }
    std::int32_t places() const { return places_; }
    const Catalog& catalog() const { return catalog_; }

    /// Name of a table, rows, parts or shared: without its schema, and qualified.
    std::string plain_name(const char* table) const;
    std::string name(const char* table) const;

    /// In each transaction, before any of the following.
    void begin() const;

    // All of these throw what PostgreSQL raises.
    void insert_rows(std::int32_t side, std::uint32_t bucket, std::uint32_t buckets, std::string_view block) const;
    void insert_part(std::uint32_t bucket, std::uint32_t of_users, std::string_view part) const;
    /// Rows of items from their parts, which are deleted.
    void join_items(const PackArguments& users, std::uint32_t buckets) const;
    /// How many rows each of the buckets of items has.
    std::vector<std::uint32_t> count_items(std::uint32_t buckets) const;
    /// Shares the heads of items, numbers the columns of users by them, and deletes what is not needed any more.
    void number_users(const PackArguments& items) const;

    /// Shares factors that no step has written.
    void insert_factors(FactorKind kind, RowSide side, std::uint32_t version, std::uint32_t bucket,
                        std::string_view block) const;

    /// Shares again what is at the last place, when a run goes on: servers that do not know of each other do not commit
    /// together, so some may be a step ahead of it, or behind.
    void share_again() const;

    /// Runs a step for all buckets of its side; its factors are shared. Sums in the order of buckets.
    StepSums run_step(const Step& step, std::uint32_t number, Environment& environment) const;
    /// Deletes the factors that the schedule does not keep.
    void forget(const Schedule& schedule) const;

    /// A block of rows, its RowHeads, or a block of factors.
    std::string rows_of(std::int32_t side, std::uint32_t bucket) const;
    std::string heads_of(RowSide side, std::uint32_t bucket) const;
    std::string factors_of(FactorKind kind, RowSide side, std::uint32_t version, std::uint32_t bucket) const;

    /// Drops the tables, and what an engine keeps elsewhere.
    void drop() const;

  private:
    std::vector<BlockOfBucket> blocks(const std::string& sql) const;
    /// The block that a query gives. Throws InvalidData if there is none.
    std::string only_block(const std::string& sql, std::uint32_t bucket) const;
    std::string heads_query(RowSide side, std::uint32_t bucket) const;
    std::string sql(std::string text) const;
    /// Of what is shared: the last one is here.
    std::int32_t last_place() const { return places_; }
    std::string for_all_places() const;
    /// Shares a block, given as the other columns of its row.
    void share(const std::string& columns, std::string_view block) const;
    bool is_partitioned() const;

    Catalog catalog_;
    std::int64_t run_;
    std::int32_t places_;
};

}  // namespace mf::pg
