#include "core/data/sorted_ids.hpp"

#include <algorithm>

#include "core/data/ids.hpp"

namespace mf {
namespace {

/// What the memory begins with.
struct Header {
    std::uint64_t kind;
    std::uint64_t size;
    std::uint64_t slots;
    std::uint64_t hash_shift;
    std::uint64_t arena_bytes;
};

/// Where the parts lie, in bytes from the start: slots, hashes, integers or ends of texts, bytes of the others.
struct Layout {
    std::size_t slots, hashes, numbers, arena, end;

    explicit Layout(const Header& header) {
        slots = sizeof(Header);
        hashes = slots + header.slots * sizeof(IdSlot);
        numbers = hashes + header.size * sizeof(std::uint64_t);
        const bool has_numbers = static_cast<IdKind>(header.kind) != IdKind::Uuid;
        arena = numbers + (has_numbers ? header.size * sizeof(std::uint64_t) : 0);
        end = arena + header.arena_bytes;
    }
};

}  // namespace

std::size_t SortedIds::bytes(const IdTable& table) {
    return Layout({static_cast<std::uint64_t>(table.kind_), table.size_, table.slots_.size(), 0, table.arena_.size()})
        .end;
}

void SortedIds::build(const IdTable& table, void* memory, Environment& environment) {
    const Header header{static_cast<std::uint64_t>(table.kind_), table.size_, table.slots_.size(),
                        static_cast<std::uint64_t>(table.hash_shift_), table.arena_.size()};
    const Layout layout(header);
    auto* base = static_cast<char*>(memory);
    std::memcpy(base, &header, sizeof header);
    constexpr std::size_t kSlotsATask = std::size_t{1} << 20;
    parallel_ranges(environment, table.slots_.size(), kSlotsATask, [&](std::size_t begin, std::size_t end, int) {
        std::copy(table.slots_.begin() + begin, table.slots_.begin() + end,
                  reinterpret_cast<IdSlot*>(base + layout.slots) + begin);
    });
    auto* hashes = reinterpret_cast<std::uint64_t*>(base + layout.hashes);
    constexpr std::size_t kIdsATask = std::size_t{1} << 15;
    parallel_ranges(environment, table.size_, kIdsATask, [&](std::size_t begin, std::size_t end, int) {
        for (auto i = static_cast<std::uint32_t>(begin); i < end; ++i) hashes[i] = table.hash(i);
    });
    std::copy(table.integers_.begin(), table.integers_.end(), reinterpret_cast<std::int64_t*>(base + layout.numbers));
    std::copy(table.ends_.begin(), table.ends_.end(), reinterpret_cast<std::uint64_t*>(base + layout.numbers));
    check_interrupt(environment);
    std::copy(table.arena_.begin(), table.arena_.end(), base + layout.arena);
}

SortedIds::SortedIds(const void* memory) {
    Header header;
    const auto* base = static_cast<const char*>(memory);
    std::memcpy(&header, base, sizeof header);
    const Layout layout(header);
    kind_ = static_cast<IdKind>(header.kind);
    size_ = static_cast<std::uint32_t>(header.size);
    hash_shift_ = static_cast<int>(header.hash_shift);
    mask_ = header.slots - 1;
    slots_ = reinterpret_cast<const IdSlot*>(base + layout.slots);
    hashes_ = reinterpret_cast<const std::uint64_t*>(base + layout.hashes);
    integers_ = reinterpret_cast<const std::int64_t*>(base + layout.numbers);
    ends_ = reinterpret_cast<const std::uint64_t*>(base + layout.numbers);
    arena_ = base + layout.arena;
}

template <class Id>
std::uint32_t SortedIds::entry(Id id, std::uint32_t hash) const {
    return entry_of(slots_[find_slot(slots_, mask_, hash >> hash_shift_, hash,
                                     [&](std::uint32_t index) { return holds(index, id); })]);
}

template <class Id>
void SortedIds::find_all(std::span<const Id> ids, std::uint32_t* indices) const {
    constexpr std::size_t kBatch = 64;
    std::uint32_t hashes[kBatch];
    for (std::size_t begin = 0; begin < ids.size(); begin += kBatch) {
        const std::size_t count = std::min(kBatch, ids.size() - begin);
        for (std::size_t i = 0; i < count; ++i) {
            hashes[i] = table_hash(ids[begin + i]);
            __builtin_prefetch(&slots_[hashes[i] >> hash_shift_]);
        }
        for (std::size_t i = 0; i < count; ++i) indices[begin + i] = entry(ids[begin + i], hashes[i]) - 1;
    }
}

std::optional<std::uint32_t> SortedIds::find(std::int64_t id) const {
    const std::uint32_t found = entry(id, table_hash(id));
    if (found == 0) return std::nullopt;
    return found - 1;
}

std::optional<std::uint32_t> SortedIds::find(std::string_view id) const {
    const std::uint32_t found = entry(id, table_hash(id));
    if (found == 0) return std::nullopt;
    return found - 1;
}

void SortedIds::find(std::span<const std::int64_t> ids, std::uint32_t* indices) const { find_all(ids, indices); }

void SortedIds::find(std::span<const std::string_view> ids, std::uint32_t* indices) const { find_all(ids, indices); }

std::string_view SortedIds::bytes(std::uint32_t index) const {
    if (kind_ == IdKind::Uuid) return {arena_ + kUuidBytes * index, kUuidBytes};
    const std::uint64_t begin = index == 0 ? 0 : ends_[index - 1];
    return {arena_ + begin, static_cast<std::size_t>(ends_[index] - begin)};
}

std::string SortedIds::text(std::uint32_t index) const {
    return kind_ == IdKind::Integer ? id_text(integers_[index]) : id_text(kind_, bytes(index));
}

}  // namespace mf
