// What one pass over the source tells of all users: who has rows, whether they are those of the training, which items.
#pragma once

#include <limits>

#include "core/base/parallel.hpp"
#include "core/retrieval/user_rows.hpp"
#include "pg/serving/history.hpp"
#include "pg/wall/reading_thread.hpp"

namespace mf::pg {

/// The rows of the source as UserRows, added on a thread beside the one that reads. Throws MemoryLimitExceeded once
/// what is known of users takes more than mf_ext.max_memory; it looks at that after each chunk of rows.
class UserScan : public RowSink {
  public:
    /// With want_seen false the lists of items stay empty.
    UserScan(const ServingModel& model, bool want_seen, std::size_t max_list_bytes);

    /// Reads the source, or the rows of some users if `only` is not null, under the active snapshot with the rights of
    /// the model's owner. The first time, everything is found, but items for the users below seen().end() only; each
    /// further time, items for those from there on.
    void read(const Source& source, const std::vector<Id>* only = nullptr);

    const IdTable& users() const { return rows_.users(); }
    const ItemLists& seen() const { return rows_.seen(); }
    std::uint64_t digest(std::uint32_t user) const { return rows_.digest(user); }

    void rows(const RowBatch& batch) override;

  private:
    void add_chunk();
    void check_memory() const;

    const ServingModel& model_;
    std::size_t max_memory_;
    bool first_ = true;
    UserRows rows_;
    HandedPieces<RowChunk> chunks_;  ///< destroyed first
};

/// Whole histories of chosen users, read in as many passes as the memory limit requires: 12 bytes a row, 24 more if it
/// has a time or an item that the model does not know. The history of one user is kept whatever it takes, within
/// mf_ext.max_memory; MemoryLimitExceeded above that.
class HistoryScan : public RowSink {
  public:
    /// For the users of `users` whose number is in `chosen`, from `first` to below `end`.
    HistoryScan(const ServingModel& model, const IdTable& users, const std::vector<bool>& chosen, std::uint32_t first,
                std::uint32_t end, std::size_t max_bytes, Environment& environment);

    /// Reads the source, or the rows of some users if `only` is not null, all of which `also` gets too unless it is
    /// null. Users whose rows find no room are left.
    void read(const Source& source, const std::vector<Id>* only = nullptr, RowSink* also = nullptr);

    /// Calls use(user, rows) for each user that was read, in the order of their numbers; rows may be reordered. To be
    /// called once after each read().
    void pass_on(const std::function<void(std::uint32_t, std::span<HistoryRow>)>& use);

    /// The users that were read, if they were not passed on: first() ≤ user < end().
    std::uint32_t first() const { return first_; }
    std::uint32_t end() const { return limit_; }

    /// True once all users were passed on.
    bool finished() const { return first_ >= end_; }

    void rows(const RowBatch& batch) override;

  private:
    /// The small form of a HistoryRow: few rows have more to say.
    struct UserRow {
        std::uint32_t user;
        std::uint32_t item;  ///< from the number of items on: of an element of whole_
        float value;
    };
    HistoryRow expanded(const UserRow& row) const;
    void add(std::uint32_t user, const HistoryRow& row);
    void narrow();
    std::size_t bytes() const { return rows_.size() * sizeof(UserRow) + whole_.size() * sizeof(HistoryRow); }

    const ServingModel& model_;
    const IdTable& users_;
    const std::vector<bool>& chosen_;
    std::uint32_t first_;
    std::uint32_t end_;
    std::uint32_t limit_;  ///< of this pass
    std::size_t max_bytes_;
    Environment& environment_;  ///< for sorts that can be cancelled
    RowSink* also_ = nullptr;
    std::vector<UserRow> rows_;
    std::vector<HistoryRow> whole_;  ///< rows with a time or of an item that the model does not know
};

}  // namespace mf::pg
