// Identifiers of users and items ↔ dense indices 0, 1, 2, …
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mf {

enum class IdKind {
    Integer,  ///< smallint, integer, bigint: ordered by value
    Uuid,     ///< 16 bytes; ordered by bytes, which is also the order of the text form
    Text,     ///< everything else, by the bytes of its text form
};

/// Interns identifiers in an open-addressing hash table (linear probing, load at most 1/2, growth by
/// doubling). Indices are given in order of arrival until sort() renumbers them in order of the ids, so that
/// the order in which rows arrive has no influence on anything that follows, and "ties by id" means "ties by
/// index". At most 2^32 - 2 ids; InvalidData beyond that.
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

    /// The index of an id, or nothing if it was never interned. O(1).
    std::optional<std::uint32_t> find(std::int64_t id) const;
    std::optional<std::uint32_t> find(std::string_view id) const;

    /// Renumbers in ascending order of the ids: integers by value, bytes as unsigned with the shorter of two
    /// equal prefixes first. Returns rank[old index] = new index. O(n log n).
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
    /// Slot that holds the id, or the empty slot where it belongs.
    std::size_t slot_of(std::int64_t id) const;
    std::size_t slot_of(std::string_view id) const;
    /// Puts the next index into an empty slot; the caller has made room and appends the id.
    std::uint32_t occupy(std::size_t slot);
    void require_room() const;
    bool is_crowded() const { return 2 * (std::size_t{size_} + 1) > slots_.size(); }
    void grow();
    std::uint64_t slot_hash(std::uint32_t index) const;
    void require_form(bool integer, std::size_t length) const;
    void reorder(const std::vector<std::uint32_t>& old_index);

    IdKind kind_;
    std::uint32_t maximum_size_;
    std::uint32_t size_ = 0;
    std::vector<std::uint32_t> slots_;    // index + 1, 0: empty; size is a power of two
    std::vector<std::int64_t> integers_;  // kind Integer
    std::vector<char> arena_;             // kinds Uuid, Text: the ids one after the other
    std::vector<std::uint64_t> ends_;     // kind Text: end of each id in arena_
};

/// Writes 16 bytes as 36 characters, lower case with hyphens.
std::string uuid_text(std::string_view bytes);

/// Reads the text form of a bigint exactly as PostgreSQL prints it: digits without leading zeros, after a
/// hyphen if negative. False, and *id untouched, for anything else ("+5", "007", "-0", " 5", out of range):
/// such a text is never the form under which a model stores an id.
bool parse_integer_id(std::string_view text, std::int64_t* id);

/// Reads 8-4-4-4-12 hexadecimal digits of either case into 16 bytes. False, and *bytes untouched, for
/// anything else.
bool parse_uuid_id(std::string_view text, std::string* bytes);

}  // namespace mf
