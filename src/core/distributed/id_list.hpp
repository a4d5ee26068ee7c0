// Ids as they travel in blocks.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/data/ids.hpp"
#include "core/distributed/wire.hpp"

namespace mf {

/// Writes ids in the order of their indices: a count, the kind and the ids.
void write_ids(const Ids& ids, WireWriter& writer);

/// Ids that lie in bytes. Valid as long as those.
class IdList {
  public:
    IdList() = default;
    /// Throws InvalidData unless they are what write_ids() writes.
    explicit IdList(WireReader& reader);

    std::uint32_t size() const { return size_; }
    IdKind kind() const { return kind_; }

    std::int64_t integer(std::uint32_t index) const;    ///< of kind Integer
    std::string_view bytes(std::uint32_t index) const;  ///< of the others
    std::string text(std::uint32_t index) const;
    /// Its index in a table of ids of the same kind, which it is added to if it is new.
    std::uint32_t intern_in(IdTable& table, std::uint32_t index) const;
    /// Its index in such a table, or nothing.
    std::optional<std::uint32_t> find_in(const Ids& table, std::uint32_t index) const;

    /// Those of some indices, in their order.
    void write(std::span<const std::uint32_t> indices, WireWriter& writer) const;

  private:
    std::uint32_t size_ = 0;
    IdKind kind_ = IdKind::Integer;
    std::string_view numbers_;  ///< kind Integer: the ids; kind Text: the end of each in the arena
    std::string_view arena_;    ///< kinds Uuid and Text: the ids one after the other
};

/// Ranges of ids in their order, one after the other: what an IdTable sorts by.
class IdRanges {
  public:
    /// The ids with which ranges begin, but for the first one, ascending. Throws InvalidData unless they are.
    explicit IdRanges(std::string_view bytes);

    /// Ranges that have about as many of the ids of a sample, in which an id may stand several times: at most `count`
    /// of them, as bytes. counts[i] is how often id i of the sorted table stands there.
    static std::string of_sample(const Ids& sorted, std::span<const std::uint64_t> counts, std::uint32_t count);

    std::uint32_t size() const;
    IdKind kind() const { return kind_; }

    /// The range that an id is in. O(log size).
    std::uint32_t find(std::int64_t id) const;
    std::uint32_t find(std::string_view id) const;
    std::uint32_t find(const IdList& list, std::uint32_t index) const {
        return list.kind() == IdKind::Integer ? find(list.integer(index)) : find(list.bytes(index));
    }

  private:
    IdKind kind_;
    std::vector<std::int64_t> integers_;
    std::vector<std::string> begins_;
};

}  // namespace mf
