// The ids of a trained model, for lookup.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/parallel.hpp"
#include "core/data/id_slots.hpp"
#include "core/data/id_text.hpp"

namespace mf {

class IdTable;

/// A view of one flat block of memory that holds no pointers: it may lie in memory that processes share. Index i is
/// that of the id in the table it was built from.
class SortedIds {
  public:
    /// Bytes that the ids of a table take: 24 to 48 an id and a text's own bytes.
    static std::size_t bytes(const IdTable& table);

    /// Copies a table into `memory`, which has bytes() bytes and is aligned to 8. O(n).
    static void build(const IdTable& table, void* memory, Environment& environment);

    SortedIds() = default;
    /// Refers to what build() has made.
    explicit SortedIds(const void* memory);

    IdKind kind() const { return kind_; }
    std::uint32_t size() const { return size_; }

    /// The index of an id in the form that matches kind(), or nothing if the model does not know it. O(1).
    std::optional<std::uint32_t> find(std::int64_t id) const;
    std::optional<std::uint32_t> find(std::string_view id) const;

    /// The same for many ids: indices[i] is that of ids[i], kUnknown if there is none. The misses of a batch overlap.
    static constexpr std::uint32_t kUnknown = ~std::uint32_t{0};
    void find(std::span<const std::int64_t> ids, std::uint32_t* indices) const;
    void find(std::span<const std::string_view> ids, std::uint32_t* indices) const;

    /// The id of an index: of kind Integer, or of the others.
    std::int64_t integer(std::uint32_t index) const { return integers_[index]; }
    std::string_view bytes(std::uint32_t index) const;

    std::string text(std::uint32_t index) const;
    /// id_hash() of the text form.
    std::uint64_t hash(std::uint32_t index) const { return hashes_[index]; }

  private:
    bool holds(std::uint32_t index, std::int64_t id) const { return integers_[index] == id; }
    bool holds(std::uint32_t index, std::string_view id) const { return bytes(index) == id; }
    /// index + 1, 0: none.
    template <class Id>
    std::uint32_t entry(Id id, std::uint32_t hash) const;
    template <class Id>
    void find_all(std::span<const Id> ids, std::uint32_t* indices) const;

    IdKind kind_ = IdKind::Integer;
    std::uint32_t size_ = 0;
    int hash_shift_ = 0;
    std::size_t mask_ = 0;
    const IdSlot* slots_ = nullptr;
    const std::uint64_t* hashes_ = nullptr;
    const std::int64_t* integers_ = nullptr;  // kind Integer
    const std::uint64_t* ends_ = nullptr;     // kind Text: end of each id in arena_
    const char* arena_ = nullptr;             // kinds Uuid, Text
};

}  // namespace mf
