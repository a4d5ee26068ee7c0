#include "core/data/sorted_ids.hpp"

#include <algorithm>
#include <cstring>

namespace mf {
namespace {

/// What the memory begins with.
struct Header {
    std::uint64_t kind;
    std::uint64_t size;
    std::uint64_t slots;
    std::uint64_t hash_shift;
    std::uint64_t arena_bytes;
    std::int64_t least = 0;       ///< of integers
    std::uint64_t by_number = 0;  ///< from the least to the greatest; 0: without a table of these

    explicit Header(const IdParts& parts)
        : kind(static_cast<std::uint64_t>(parts.kind)),
          size(parts.size),
          slots(parts.slots.size()),
          hash_shift(static_cast<std::uint64_t>(parts.hash_shift)),
          arena_bytes(parts.arena.size()) {
        if (parts.kind != IdKind::Integer || parts.size == 0) return;
        const auto number = [&](std::size_t i) { return static_cast<std::int64_t>(parts.numbers[i]); };
        std::int64_t greatest = least = number(0);
        for (std::size_t i = 1; i < parts.size; ++i) {
            least = std::min(least, number(i));
            greatest = std::max(greatest, number(i));
        }
        const std::uint64_t distance = static_cast<std::uint64_t>(greatest) - static_cast<std::uint64_t>(least);
        if (distance < SortedIds::kNumbersAnId * parts.size) by_number = distance + 1;
    }
};

/// Where the parts lie, in bytes from the start: slots, hashes, integers or ends of texts, indices by number, bytes of
/// the others.
struct Layout {
    std::size_t slots, hashes, numbers, number_bytes, by_number, arena, end;

    explicit Layout(const Header& header) {
        slots = sizeof(Header);
        hashes = slots + header.slots * sizeof(IdSlot);
        numbers = hashes + header.size * sizeof(std::uint64_t);
        number_bytes = static_cast<IdKind>(header.kind) != IdKind::Uuid ? header.size * sizeof(std::uint64_t) : 0;
        by_number = numbers + number_bytes;
        arena = by_number + header.by_number * sizeof(std::uint32_t);
        end = arena + header.arena_bytes;
    }
};

}  // namespace

std::size_t SortedIds::bytes(const Ids& table) { return Layout(Header(table.parts())).end; }

void SortedIds::build(const Ids& table, void* memory, Environment& environment) {
    const IdParts& parts = table.parts();
    const Header header(parts);
    const Layout layout(header);
    auto* base = static_cast<char*>(memory);
    std::memcpy(base, &header, sizeof header);
    constexpr std::size_t kSlotsATask = std::size_t{1} << 20;
    parallel_ranges(environment, parts.slots.size(), kSlotsATask, [&](std::size_t begin, std::size_t end, int) {
        std::copy_n(parts.slots.data() + begin, end - begin, reinterpret_cast<IdSlot*>(base + layout.slots) + begin);
    });
    auto* hashes = reinterpret_cast<std::uint64_t*>(base + layout.hashes);
    constexpr std::size_t kIdsATask = std::size_t{1} << 15;
    parallel_ranges(environment, parts.size, kIdsATask, [&](std::size_t begin, std::size_t end, int) {
        for (auto i = static_cast<std::uint32_t>(begin); i < end; ++i) hashes[i] = table.hash(i);
    });
    if (layout.number_bytes > 0) std::memcpy(base + layout.numbers, parts.numbers, layout.number_bytes);
    auto* by_number = reinterpret_cast<std::uint32_t*>(base + layout.by_number);
    std::fill_n(by_number, header.by_number, kUnknown);
    if (header.by_number > 0)
        for (std::uint32_t i = 0; i < parts.size; ++i)
            by_number[parts.numbers[i] - static_cast<std::uint64_t>(header.least)] = i;
    check_interrupt(environment);
    std::copy(parts.arena.begin(), parts.arena.end(), base + layout.arena);
}

SortedIds::SortedIds(const void* memory) {
    Header header{IdParts{}};
    const auto* base = static_cast<const char*>(memory);
    std::memcpy(&header, base, sizeof header);
    const Layout layout(header);
    parts_ = {static_cast<IdKind>(header.kind),
              static_cast<std::uint32_t>(header.size),
              static_cast<int>(header.hash_shift),
              {reinterpret_cast<const IdSlot*>(base + layout.slots), header.slots},
              reinterpret_cast<const std::uint64_t*>(base + layout.hashes),
              reinterpret_cast<const std::uint64_t*>(base + layout.numbers),
              {base + layout.arena, header.arena_bytes},
              {reinterpret_cast<const std::uint32_t*>(base + layout.by_number), header.by_number},
              header.least};
}

}  // namespace mf
