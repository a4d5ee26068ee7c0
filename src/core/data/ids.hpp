// Identifiers of users and items ↔ dense indices 0, 1, 2, …
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/array.hpp"
#include "core/base/parallel.hpp"
#include "core/data/id_slots.hpp"
#include "core/data/id_text.hpp"

namespace mf {

/// Interns identifiers in an open-addressing hash table (linear probing, load at most 1/2, growth by
/// doubling). Indices are given in order of arrival until sort() renumbers them in order of the ids, so that
/// the order in which rows arrive has no influence on anything that follows, and "ties by id" means "ties by
/// index". At most 2^32 - 2 ids; InvalidData beyond that. Memory: 16 to 32 bytes an id and the id itself, 8
/// bytes more for a text.
class IdTable {
  public:
    /// index + 1 of every id fits in 32 bits.
    static constexpr std::uint32_t kMaximumSize = 0xfffffffe;

    /// maximum_size is lower than kMaximumSize in tests only.
    explicit IdTable(IdKind kind, std::uint32_t maximum_size = kMaximumSize);

    IdKind kind() const { return kind_; }
    std::uint32_t size() const { return size_; }

    /// The index of an id, added if new. O(1). The form must match kind(): integers, or bytes (16 of them for
    /// Uuid); anything else is a bug of the caller (std::logic_error).
    std::uint32_t intern(std::int64_t id);
    std::uint32_t intern(std::string_view id);

    /// The same for many ids, in their order: indices[i] is that of ids[i]. Several times as fast for a table
    /// that has outgrown the cache, since the misses of a batch overlap.
    void intern(std::span<const std::int64_t> ids, std::uint32_t* indices);
    void intern(std::span<const std::string_view> ids, std::uint32_t* indices);

    /// The index of an id, or nothing if it was never interned. O(1).
    std::optional<std::uint32_t> find(std::int64_t id) const;
    std::optional<std::uint32_t> find(std::string_view id) const;

    /// The same for many ids: indices[i] is that of ids[i], kUnknown if there is none. As fast as intern() of many.
    static constexpr std::uint32_t kUnknown = ~std::uint32_t{0};
    void find(std::span<const std::int64_t> ids, std::uint32_t* indices) const;
    void find(std::span<const std::string_view> ids, std::uint32_t* indices) const;

    /// Renumbers in ascending order of the ids: integers by value, bytes as unsigned with the shorter of two
    /// equal prefixes first. Returns rank[old index] = new index. O(n log n). The table is of no use after an
    /// exception of the checkpoint.
    std::vector<std::uint32_t> sort(Environment& environment);
    std::vector<std::uint32_t> sort();

    /// The id of an index in the form it was interned in. The view is valid until the next intern() or
    /// sort().
    std::int64_t integer(std::uint32_t index) const { return integers_[index]; }
    std::string_view bytes(std::uint32_t index) const;

    /// The id's text form, as PostgreSQL prints it and the factor tables store it.
    std::string text(std::uint32_t index) const;

    /// id_hash() of the text form.
    std::uint64_t hash(std::uint32_t index) const;

    /// Bytes of memory held now.
    std::size_t memory() const;

  private:
    friend class SortedIds;
    using Slot = IdSlot;

    /// The upper bits of the hash say where the search begins, so a larger table is filled front to back from a smaller
    /// one, without a look at the ids.
    std::size_t home_of(std::uint32_t hash) const { return hash >> hash_shift_; }
    /// Slot that holds the id, or the empty slot where it belongs.
    template <class Id>
    std::size_t slot_of(Id id, std::uint32_t hash) const;
    template <class Id>
    std::uint32_t intern_hashed(Id id, std::uint32_t hash);
    /// Indices of many ids; what is not found at first sight is resolve(id, hash)'s.
    template <class Id, class Resolve>
    void look_up_all(std::span<const Id> ids, std::uint32_t* indices, const Resolve& resolve) const;
    template <class Id>
    std::optional<std::uint32_t> find_id(Id id, std::uint32_t hash) const;

    bool holds(std::uint32_t index, std::int64_t id) const { return integers_[index] == id; }
    bool holds(std::uint32_t index, std::string_view id) const { return bytes(index) == id; }
    void append(std::int64_t id) { integers_.push_back(id); }
    void append(std::string_view id);
    void require_form(std::int64_t id) const;
    void require_form(std::string_view id) const;
    void prefetch_ids(const std::uint32_t* entries, std::size_t count) const;
    void grow();
    /// Bytes that all texts begin with.
    std::size_t common_prefix(Environment& environment) const;
    void reorder(const std::vector<std::uint32_t>& old_index, Environment& environment);

    IdKind kind_;
    std::uint32_t maximum_size_;
    std::uint32_t size_ = 0;
    int hash_shift_;
    Array<Slot> slots_;                   // size is a power of two
    std::vector<std::int64_t> integers_;  // kind Integer
    std::vector<char> arena_;             // kinds Uuid, Text: the ids one after the other
    std::vector<std::uint64_t> ends_;     // kind Text: end of each id in arena_
};

}  // namespace mf
