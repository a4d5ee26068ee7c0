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
#include "core/data/id_text.hpp"

namespace mf {

/// Hash of an id in the upper half, index + 1 in the lower; 0: empty. The upper bits of the hash say where the search
/// for the id begins, so a larger table is filled front to back from a smaller one, without a look at the ids.
using IdSlot = std::uint64_t;

/// Where the ids lie: in an IdTable or in one flat block of memory.
struct IdParts {
    IdKind kind = IdKind::Integer;
    std::uint32_t size = 0;
    int hash_shift = 0;
    std::span<const IdSlot> slots{};         ///< as many as a power of two
    const std::uint64_t* hashes = nullptr;   ///< null: computed when asked for
    const std::uint64_t* numbers = nullptr;  ///< kind Integer: the ids; kind Text: the end of each in the arena
    std::string_view arena{};                ///< kinds Uuid, Text: the ids one after the other
    /// Kind Integer, unless empty: the index of id least + i, or Ids::kUnknown, for all ids that there are.
    std::span<const std::uint32_t> by_number{};
    std::int64_t least = 0;
};

/// Lookup of ids, a view of their parts. All forms must match kind(): integers, or bytes (16 of them for Uuid);
/// anything else is a bug of the caller (std::logic_error).
class Ids {
  public:
    IdKind kind() const { return parts_.kind; }
    std::uint32_t size() const { return parts_.size; }

    /// The index of an id, or nothing if it is not among these. O(1).
    std::optional<std::uint32_t> find(std::int64_t id) const;
    std::optional<std::uint32_t> find(std::string_view id) const;

    /// The same for the id that another table of the same kind has at an index.
    std::optional<std::uint32_t> find(const Ids& other, std::uint32_t index) const {
        return other.kind() == IdKind::Integer ? find(other.integer(index)) : find(other.bytes(index));
    }

    /// The same for many ids: indices[i] is that of ids[i], kUnknown if there is none. Several times as fast for a
    /// table that has outgrown the cache, since the misses of a batch overlap.
    static constexpr std::uint32_t kUnknown = ~std::uint32_t{0};
    void find(std::span<const std::int64_t> ids, std::uint32_t* indices) const;
    void find(std::span<const std::string_view> ids, std::uint32_t* indices) const;

    /// The id of an index: of kind Integer, or of the others.
    std::int64_t integer(std::uint32_t index) const { return static_cast<std::int64_t>(parts_.numbers[index]); }
    std::string_view bytes(std::uint32_t index) const;

    /// The id's text form, as PostgreSQL prints it and the factor tables store it.
    std::string text(std::uint32_t index) const;

    /// id_hash() of the text form.
    std::uint64_t hash(std::uint32_t index) const {
        return parts_.hashes != nullptr ? parts_.hashes[index] : computed_hash(index);
    }

    const IdParts& parts() const { return parts_; }

  protected:
    Ids() = default;
    explicit Ids(const IdParts& parts) : parts_(parts) {}

    /// Slot that holds the id, or the empty slot where it belongs.
    template <class Id>
    std::size_t slot_of(Id id, std::uint32_t hash) const;
    /// Indices of many ids; what is not found at first sight is resolve(id, hash)'s.
    template <class Id, class Resolve>
    void look_up_all(std::span<const Id> ids, std::uint32_t* indices, const Resolve& resolve) const;
    void require_form(std::int64_t id) const;
    void require_form(std::string_view id) const;

    IdParts parts_;

  private:
    template <class Id>
    std::optional<std::uint32_t> find_hashed(Id id, std::uint32_t hash) const;
    std::uint64_t computed_hash(std::uint32_t index) const;
    std::size_t home_of(std::uint32_t hash) const { return hash >> parts_.hash_shift; }
    bool holds(std::uint32_t index, std::int64_t id) const { return integer(index) == id; }
    bool holds(std::uint32_t index, std::string_view id) const { return bytes(index) == id; }
    void prefetch_ids(const std::uint32_t* entries, std::size_t count) const;
};

/// Interns identifiers in an open-addressing hash table (linear probing, load at most 1/2, growth by
/// doubling). Indices are given in order of arrival until sort() renumbers them in order of the ids, so that
/// the order in which rows arrive has no influence on anything that follows, and "ties by id" means "ties by
/// index". At most 2^32 - 2 ids; InvalidData beyond that. Memory: 16 to 32 bytes an id and the id itself, 8
/// bytes more for a text.
class IdTable : public Ids {
  public:
    /// index + 1 of every id fits in 32 bits.
    static constexpr std::uint32_t kMaximumSize = 0xfffffffe;

    /// maximum_size is lower than kMaximumSize in tests only.
    explicit IdTable(IdKind kind, std::uint32_t maximum_size = kMaximumSize);

    /// The index of an id, added if new. O(1).
    std::uint32_t intern(std::int64_t id);
    std::uint32_t intern(std::string_view id);

    /// The same for the id that another table of the same kind has at an index.
    std::uint32_t intern(const Ids& other, std::uint32_t index) {
        return other.kind() == IdKind::Integer ? intern(other.integer(index)) : intern(other.bytes(index));
    }

    /// The same for many ids, in their order: indices[i] is that of ids[i]. As fast as find() of many.
    void intern(std::span<const std::int64_t> ids, std::uint32_t* indices);
    void intern(std::span<const std::string_view> ids, std::uint32_t* indices);

    /// Renumbers in ascending order of the ids: integers by value, bytes as unsigned with the shorter of two
    /// equal prefixes first. Returns rank[old index] = new index. O(n log n). What bytes() returned is valid until
    /// the next sort() or intern(). The table is of no use after an exception of the checkpoint.
    std::vector<std::uint32_t> sort(Environment& environment);
    std::vector<std::uint32_t> sort();

    /// Bytes of memory held now.
    std::size_t memory() const;

  private:
    template <class Id>
    std::uint32_t intern_hashed(Id id, std::uint32_t hash);
    void append(std::int64_t id);
    void append(std::string_view id);
    void grow();
    /// Bytes that all texts begin with.
    std::size_t common_prefix(Environment& environment) const;
    void reorder(const std::vector<std::uint32_t>& old_index, Environment& environment);
    /// Makes the parts refer to what the vectors hold now.
    void refer();

    std::uint32_t maximum_size_;
    Array<IdSlot> slots_;
    std::vector<std::uint64_t> numbers_;
    std::vector<char> arena_;
};

}  // namespace mf
