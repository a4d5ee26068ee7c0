// What the rows (user, item, value) of all users tell of each: the digest of the history, and which items are in it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/base/hash.hpp"
#include "core/data/id_text.hpp"
#include "core/data/ids.hpp"
#include "core/retrieval/item_lists.hpp"

namespace mf {

/// Looks up ids of items: the index of each, or Ids::kUnknown, and id_hash() of its text form.
template <class Id>
void find_with_hashes(const Ids& items, std::span<const Id> ids, std::uint32_t* indices, std::uint64_t* hashes) {
    items.find(ids, indices);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (indices[i] != Ids::kUnknown)
            hashes[i] = items.hash(indices[i]);
        else if constexpr (std::is_same_v<Id, std::int64_t>)
            hashes[i] = id_text_hash(ids[i]);
        else
            hashes[i] = id_text_hash(items.kind(), ids[i]);
    }
}

/// Ids of one kind, copied one after the other.
class IdColumn {
  public:
    explicit IdColumn(IdKind kind) : kind_(kind) {}

    void append(std::span<const std::int64_t> ids) { integers_.insert(integers_.end(), ids.begin(), ids.end()); }
    void append(std::span<const std::string_view> ids);
    void clear();
    std::size_t bytes() const {
        return integers_.size() * sizeof(std::int64_t) + ends_.size() * sizeof(std::size_t) + arena_.size();
    }

    /// Calls f with ids [begin, end), at most kMostAtOnce, as a span of std::int64_t or of std::string_view, whichever
    /// their kind is.
    static constexpr std::size_t kMostAtOnce = 256;
    template <class F>
    void pass(std::size_t begin, std::size_t end, F&& f) const {
        if (kind_ == IdKind::Integer) {
            f(std::span(integers_).subspan(begin, end - begin));
            return;
        }
        std::string_view ids[kMostAtOnce];
        for (std::size_t i = begin; i < end; ++i) {
            const std::size_t from = i == 0 ? 0 : ends_[i - 1];
            ids[i - begin] = std::string_view(arena_).substr(from, ends_[i] - from);
        }
        f(std::span<const std::string_view>(ids, end - begin));
    }

  private:
    IdKind kind_;
    std::vector<std::int64_t> integers_;
    std::vector<std::size_t> ends_;  ///< of texts in the arena
    std::string arena_;
};

/// Some rows as they were read; row i has the i-th element of each part.
struct RowChunk {
    RowChunk(IdKind user_kind, IdKind item_kind) : users(user_kind), items(item_kind) {}

    std::size_t size() const { return values.size(); }
    /// True if it should be passed on before more rows come. Chunks of this size stay in a core's second-level cache.
    bool is_full() const;
    void clear();

    IdColumn users, items;
    std::vector<float> values;
    std::vector<float> weights;  ///< by the age of the rows; empty: all are 1
};

/// Indices of integer ids from 0 to below a million, by the id: one access to memory instead of the two or more of a
/// hash table, and 4 bytes up to the greatest such id.
class SmallIds {
  public:
    void add(std::int64_t id, std::uint32_t index) {
        const auto place = static_cast<std::uint64_t>(id);
        if (place >= kEnd) return;
        if (place >= indices_.size()) indices_.resize(std::max(place + 1, std::min(2 * place, kEnd)), Ids::kUnknown);
        indices_[place] = index;
    }

    /// indices[i]: of ids[i], or Ids::kUnknown. Returns how many of these there are.
    std::size_t find(std::span<const std::int64_t> ids, std::uint32_t* indices) const {
        std::size_t unknown = 0;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const auto place = static_cast<std::uint64_t>(ids[i]);
            indices[i] = place < indices_.size() ? indices_[place] : Ids::kUnknown;
            unknown += indices[i] == Ids::kUnknown;
        }
        return unknown;
    }

    /// True if there is none among the ids that add() would not take.
    static bool takes_all(std::span<const std::int64_t> ids) {
        return std::ranges::all_of(ids, [](std::int64_t id) { return static_cast<std::uint64_t>(id) < kEnd; });
    }

    std::size_t memory() const { return indices_.capacity() * sizeof(std::uint32_t); }

  private:
    static constexpr std::size_t kEnd = std::size_t{1} << 20;
    std::vector<std::uint32_t> indices_;
};

/// Users are numbered in the order of their first rows. 40 to 60 bytes a user, those of the ItemLists, and 32 bytes for
/// each of half a million rows. The order of the rows makes no difference but for the numbers: that many rows at a time
/// are brought into the order of ranges of users, so that what they are added to stays in the cache.
class UserRows {
  public:
    /// With want_seen false the lists of items stay empty.
    UserRows(IdKind users, const Ids& items, bool want_seen, std::size_t max_list_bytes);

    /// Takes rows. O(rows).
    void add(const RowChunk& chunk);

    /// To be called after the last row: lists and digests are not complete before.
    void finish();

    /// To be called before rows are read again: from here on items count for the users from seen().end() on alone,
    /// digests stay as they are, and users without a number are left out.
    void read_again();

    const IdTable& users() const { return users_; }
    const ItemLists& seen() const { return seen_; }

    /// HistoryDigest::value() of the user's rows, unless items repeat in them: then it is another number than the
    /// user's history has.
    std::uint64_t digest(std::uint32_t user) const { return digests_[user].value(); }

    /// Bytes of memory held now, without those for the rows that are brought into order, which are bounded.
    std::size_t memory() const;

  private:
    struct Row {
        std::uint32_t user;
        std::uint32_t item;     ///< Ids::kUnknown: none of the model
        std::uint64_t summand;  ///< of the digest
    };
    void find_users(std::span<const std::int64_t> ids, std::uint32_t* users);
    void find_users(std::span<const std::string_view> ids, std::uint32_t* users);
    template <class Id>
    void number_new_users(std::span<const Id> ids, std::uint32_t* users);
    std::span<const Row> in_order_of_users();

    const Ids& items_;
    bool want_seen_;
    bool first_ = true;
    IdTable users_;
    SmallIds small_users_;
    ItemLists seen_;
    std::vector<HistoryDigest> digests_;
    std::vector<Row> rows_;    // to be added to lists and digests
    std::vector<Row> sorted_;  // the same
};

}  // namespace mf
