// Rows (user, item, score, rank) of a set-returning function.
#pragma once

#include "core/data/sorted_ids.hpp"
#include "core/retrieval/top_n.hpp"
#include "pg/sql/ids.hpp"

namespace mf::pg {

/// Hands lists to PostgreSQL in batches of rows. Ids are shown in the overload's type.
class UserListWriter {
  public:
    UserListWriter(FunctionCallInfo fcinfo, IdKind overload, const SortedIds& items)
        : fcinfo_(fcinfo), overload_(overload), items_(items) {}

    /// Adds the rows of one user, ranked from 1 on.
    void put(const Id& user, std::span<const ScoredItem> list);

    /// Passes on what is batched; to be called after the last list.
    void flush();

  private:
    struct Row {
        std::int64_t user;  ///< the id, or the position in texts_ of its text, or of the bytes of a uuid
        std::int64_t item;
        float score;
        std::int32_t rank;
    };
    static void put_rows_unsafe(FunctionCallInfo fcinfo, IdKind overload, const Row* rows, std::size_t count,
                                const std::string* texts);
    std::int64_t add_text(std::string text) {
        texts_.push_back(std::move(text));
        return static_cast<std::int64_t>(texts_.size()) - 1;
    }

    FunctionCallInfo fcinfo_;
    IdKind overload_;
    const SortedIds& items_;
    std::vector<Row> rows_;
    std::vector<std::string> texts_;
};

}  // namespace mf::pg
