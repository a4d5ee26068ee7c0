#include "core/data/ids.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"

namespace mf {
namespace {

constexpr IdSlot make_slot(std::uint32_t hash, std::uint32_t entry) { return std::uint64_t{hash} << 32 | entry; }
constexpr std::uint32_t hash_of(IdSlot slot) { return static_cast<std::uint32_t>(slot >> 32); }
constexpr std::uint32_t entry_of(IdSlot slot) { return static_cast<std::uint32_t>(slot); }

/// Hashes for the slots. Not part of the product, unlike id_hash(): they may change, and take 8 bytes a step.
std::uint32_t table_hash(std::int64_t id) { return mix64(static_cast<std::uint64_t>(id)) >> 32; }

std::uint32_t table_hash(std::string_view bytes) {
    std::uint64_t h = bytes.size();
    const char* data = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; left -= 8, data += 8) {
        std::uint64_t word;
        std::memcpy(&word, data, 8);
        h = mix64(h ^ word) + 0x9e3779b97f4a7c15u;
    }
    std::uint64_t word = 0;
    if (left > 0) std::memcpy(&word, data, left);
    return mix64(h ^ word) >> 32;
}

constexpr std::size_t kInitialSlots = 64;
constexpr std::size_t kMaximumSlots = std::size_t{1} << 32;  // as many as hashes

/// Ids that are looked up at a time: enough for the misses of one to hide those of the others, few enough
/// for what is fetched to stay in the first-level cache.
constexpr std::size_t kBatch = 64;

/// Ids handled between two looks at the interrupt, and sorted at a time.
constexpr std::size_t kBlock = std::size_t{1} << 15;

/// The first 8 bytes as a number that compares like them; missing bytes count as zero.
std::uint64_t leading_bytes(std::string_view bytes) {
    std::uint64_t leading = 0;
    for (std::size_t i = 0; i < 8; ++i)
        leading = leading << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u);
    return leading;
}

/// What sort() compares first: it decides nearly always, without a look at the id itself.
struct SortKey {
    std::uint64_t leading;
    std::uint32_t index;
};

/// Sample sort of distinct keys: each is sent to one of many ranges between splitters drawn from the keys, then
/// the ranges are sorted, in cache, on all threads and with a look at the interrupt between them.
template <class Less>
void sort_keys(Array<SortKey>& keys, Environment& environment, const Less& less) {
    constexpr std::size_t kMaximumRanges = 1024;
    constexpr std::size_t kDraws = 16;  // a range
    const std::size_t ranges = std::clamp<std::size_t>(keys.size() / kBlock, 1, kMaximumRanges);
    if (ranges == 1) {
        check_interrupt(environment);
        std::sort(keys.begin(), keys.end(), less);
        return;
    }
    std::vector<SortKey> splitters(ranges * kDraws);
    for (std::size_t i = 0; i < splitters.size(); ++i) splitters[i] = keys[i * (keys.size() / splitters.size())];
    std::sort(splitters.begin(), splitters.end(), less);
    for (std::size_t i = 1; i < ranges; ++i) splitters[i - 1] = splitters[i * kDraws];
    splitters.resize(ranges - 1);

    // Positions are counted per block and range, so that blocks can be moved in any order.
    const std::size_t blocks = (keys.size() + kBlock - 1) / kBlock;
    Array<std::uint16_t> range_of(keys.size());
    std::vector<std::size_t> cursors(blocks * ranges);
    parallel_ranges(environment, keys.size(), kBlock, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t i = begin; i < end; ++i) {
            const auto above = std::upper_bound(splitters.begin(), splitters.end(), keys[i], less);
            range_of[i] = static_cast<std::uint16_t>(above - splitters.begin());
            ++cursors[begin / kBlock * ranges + range_of[i]];
        }
    });
    std::vector<std::size_t> range_begins(ranges + 1);
    std::size_t position = 0;
    for (std::size_t range = 0; range < ranges; ++range) {
        range_begins[range] = position;
        for (std::size_t block = 0; block < blocks; ++block)
            position += std::exchange(cursors[block * ranges + range], position);
    }
    range_begins[ranges] = position;

    Array<SortKey> moved(keys.size());
    parallel_ranges(environment, keys.size(), kBlock, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t i = begin; i < end; ++i) moved[cursors[begin / kBlock * ranges + range_of[i]]++] = keys[i];
    });
    keys = std::move(moved);
    parallel_for(environment, ranges, [&](std::size_t range, int) {
        std::sort(keys.begin() + range_begins[range], keys.begin() + range_begins[range + 1], less);
    });
}

}  // namespace

void Ids::require_form(std::int64_t) const {
    if (kind() != IdKind::Integer) throw std::logic_error("id of another kind than its table");
}

void Ids::require_form(std::string_view id) const {
    if (kind() == IdKind::Integer) throw std::logic_error("id of another kind than its table");
    if (kind() == IdKind::Uuid && id.size() != kUuidBytes) throw std::logic_error("uuid id that has not 16 bytes");
}

template <class Id>
std::size_t Ids::slot_of(Id id, std::uint32_t hash) const {
    const std::size_t mask = parts_.slots.size() - 1;
    for (std::size_t slot = home_of(hash);; slot = (slot + 1) & mask) {
        const IdSlot content = parts_.slots[slot];
        if (content == 0 || (hash_of(content) == hash && holds(entry_of(content) - 1, id))) return slot;
    }
}

void Ids::prefetch_ids(const std::uint32_t* entries, std::size_t count) const {
    switch (kind()) {
        case IdKind::Integer:
            for (std::size_t i = 0; i < count; ++i)
                if (entries[i] != 0) __builtin_prefetch(&parts_.numbers[entries[i] - 1]);
            break;
        case IdKind::Uuid:
            for (std::size_t i = 0; i < count; ++i)
                if (entries[i] != 0) __builtin_prefetch(parts_.arena.data() + kUuidBytes * (entries[i] - 1));
            break;
        case IdKind::Text:
            for (std::size_t i = 0; i < count; ++i)
                if (entries[i] != 0) __builtin_prefetch(&parts_.numbers[entries[i] - 1]);
            for (std::size_t i = 0; i < count; ++i)
                if (entries[i] != 0) __builtin_prefetch(bytes(entries[i] - 1).data());
            break;
    }
}

template <class Id, class Resolve>
void Ids::look_up_all(std::span<const Id> ids, std::uint32_t* indices, const Resolve& resolve) const {
    bool repeated[kBatch];
    std::uint32_t hashes[kBatch];
    std::uint32_t entries[kBatch];
    for (std::size_t begin = 0; begin < ids.size(); begin += kBatch) {
        const std::size_t count = std::min(kBatch, ids.size() - begin);
        const Id* batch = ids.data() + begin;
        for (std::size_t i = 0; i < count; ++i) {
            // Tables often hold the rows of one user together.
            repeated[i] = i > 0 && batch[i] == batch[i - 1];
            if (repeated[i]) {
                hashes[i] = hashes[i - 1];
                continue;
            }
            require_form(batch[i]);
            hashes[i] = table_hash(batch[i]);
            __builtin_prefetch(&parts_.slots[home_of(hashes[i])]);
        }
        // Nearly every known id is in its home slot or in the next.
        const std::size_t mask = parts_.slots.size() - 1;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t home = home_of(hashes[i]);
            const IdSlot first = parts_.slots[home], second = parts_.slots[(home + 1) & mask];
            // Without branches: which of the two it is is as good as random.
            const std::uint32_t in_first = -std::uint32_t{hash_of(first) == hashes[i]} & entry_of(first);
            const std::uint32_t in_second = -std::uint32_t{hash_of(second) == hashes[i]} & entry_of(second);
            entries[i] = in_first | (-std::uint32_t{in_first == 0} & in_second);
        }
        prefetch_ids(entries, count);
        for (std::size_t i = 0; i < count; ++i) {
            std::uint32_t& index = indices[begin + i];
            if (repeated[i]) {
                index = indices[begin + i - 1];
            } else if (entries[i] != 0 && holds(entries[i] - 1, batch[i])) {
                index = entries[i] - 1;
            } else {
                index = resolve(batch[i], hashes[i]);
            }
        }
    }
}

template <class Id>
std::optional<std::uint32_t> Ids::find_hashed(Id id, std::uint32_t hash) const {
    require_form(id);
    const std::uint32_t entry = entry_of(parts_.slots[slot_of(id, hash)]);
    if (entry == 0) return std::nullopt;
    return entry - 1;
}

std::optional<std::uint32_t> Ids::find(std::int64_t id) const { return find_hashed(id, table_hash(id)); }

std::optional<std::uint32_t> Ids::find(std::string_view id) const { return find_hashed(id, table_hash(id)); }

void Ids::find(std::span<const std::int64_t> ids, std::uint32_t* indices) const {
    if (!parts_.by_number.empty()) {
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const std::uint64_t place = static_cast<std::uint64_t>(ids[i]) - static_cast<std::uint64_t>(parts_.least);
            indices[i] = place < parts_.by_number.size() ? parts_.by_number[place] : kUnknown;
        }
        return;
    }
    look_up_all(ids, indices,
                [this](std::int64_t id, std::uint32_t hash) { return find_hashed(id, hash).value_or(kUnknown); });
}

void Ids::find(std::span<const std::string_view> ids, std::uint32_t* indices) const {
    look_up_all(ids, indices,
                [this](std::string_view id, std::uint32_t hash) { return find_hashed(id, hash).value_or(kUnknown); });
}

std::string_view Ids::bytes(std::uint32_t index) const {
    if (kind() == IdKind::Uuid) return {parts_.arena.data() + kUuidBytes * index, kUuidBytes};
    const std::uint64_t begin = index == 0 ? 0 : parts_.numbers[index - 1];
    return {parts_.arena.data() + begin, static_cast<std::size_t>(parts_.numbers[index] - begin)};
}

std::string Ids::text(std::uint32_t index) const {
    return kind() == IdKind::Integer ? id_text(integer(index)) : id_text(kind(), bytes(index));
}

std::uint64_t Ids::computed_hash(std::uint32_t index) const {
    return kind() == IdKind::Integer ? id_text_hash(integer(index)) : id_text_hash(kind(), bytes(index));
}

IdTable::IdTable(IdKind kind, std::uint32_t maximum_size)
    : Ids({.kind = kind, .hash_shift = 32 - std::countr_zero(kInitialSlots)}),
      maximum_size_(std::min(maximum_size, kMaximumSize)),
      slots_(kInitialSlots, 0) {
    refer();
}

void IdTable::refer() {
    parts_.slots = slots_;
    parts_.numbers = numbers_.data();
    parts_.arena = {arena_.data(), arena_.size()};
}

template <class Id>
std::uint32_t IdTable::intern_hashed(Id id, std::uint32_t hash) {
    std::size_t slot = slot_of(id, hash);
    if (slots_[slot] != 0) return entry_of(slots_[slot]) - 1;
    if (size() == maximum_size_)
        throw InvalidData("more than " + std::to_string(maximum_size_) + " distinct users or items");
    if (2 * (std::size_t{size()} + 1) > slots_.size() && slots_.size() < kMaximumSlots) {
        grow();
        slot = slot_of(id, hash);
    }
    append(id);
    refer();
    slots_[slot] = make_slot(hash, ++parts_.size);
    return size() - 1;
}

std::uint32_t IdTable::intern(std::int64_t id) {
    require_form(id);
    return intern_hashed(id, table_hash(id));
}

std::uint32_t IdTable::intern(std::string_view id) {
    require_form(id);
    return intern_hashed(id, table_hash(id));
}

void IdTable::append(std::int64_t id) { numbers_.push_back(static_cast<std::uint64_t>(id)); }

void IdTable::append(std::string_view id) {
    // Were there no memory for its end, the id must not become part of the next one.
    if (kind() == IdKind::Text) numbers_.push_back(arena_.size() + id.size());
    try {
        arena_.insert(arena_.end(), id.begin(), id.end());
    } catch (...) {
        if (kind() == IdKind::Text) numbers_.pop_back();
        refer();  // the ends may have moved
        throw;
    }
}

void IdTable::intern(std::span<const std::int64_t> ids, std::uint32_t* indices) {
    look_up_all(ids, indices, [this](std::int64_t id, std::uint32_t hash) { return intern_hashed(id, hash); });
}

void IdTable::intern(std::span<const std::string_view> ids, std::uint32_t* indices) {
    look_up_all(ids, indices, [this](std::string_view id, std::uint32_t hash) { return intern_hashed(id, hash); });
}

void IdTable::grow() {
    Array<IdSlot> slots(2 * slots_.size(), 0);
    const std::size_t mask = slots.size() - 1;
    --parts_.hash_shift;
    for (const IdSlot old : slots_) {
        if (old == 0) continue;
        std::size_t slot = hash_of(old) >> parts_.hash_shift;
        while (slots[slot] != 0) slot = (slot + 1) & mask;
        slots[slot] = old;
    }
    slots_ = std::move(slots);
    refer();
}

std::vector<std::uint32_t> IdTable::sort() {
    Environment environment;
    return sort(environment);
}

std::vector<std::uint32_t> IdTable::sort(Environment& environment) {
    const std::size_t shared = kind() == IdKind::Text ? common_prefix(environment) : 0;
    Array<SortKey> keys(size());
    parallel_ranges(environment, size(), kBlock, [&](std::size_t begin, std::size_t end, int) {
        constexpr std::uint64_t kSign = std::uint64_t{1} << 63;  // flipped, two's complement compares as unsigned
        for (auto i = static_cast<std::uint32_t>(begin); i < end; ++i) {
            keys[i] = {kind() == IdKind::Integer ? parts_.numbers[i] ^ kSign : leading_bytes(bytes(i).substr(shared)),
                       i};
        }
    });
    // string_view compares as unsigned bytes, the shorter of two equal prefixes first. Ids are distinct.
    sort_keys(keys, environment, [this](const SortKey& a, const SortKey& b) {
        if (a.leading != b.leading) return a.leading < b.leading;
        return kind() != IdKind::Integer && bytes(a.index) < bytes(b.index);
    });

    std::vector<std::uint32_t> old_index(size());
    std::vector<std::uint32_t> rank(size());
    parallel_ranges(environment, size(), kBlock, [&](std::size_t begin, std::size_t end, int) {
        for (auto i = static_cast<std::uint32_t>(begin); i < end; ++i) {
            old_index[i] = keys[i].index;
            rank[keys[i].index] = i;
        }
    });
    keys = Array<SortKey>();
    reorder(old_index, environment);
    // An id's slot depends on the id alone, so the table needs new numbers only.
    parallel_ranges(environment, slots_.size(), kBlock, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t i = begin; i < end; ++i)
            if (slots_[i] != 0) slots_[i] = make_slot(hash_of(slots_[i]), rank[entry_of(slots_[i]) - 1] + 1);
    });
    return rank;
}

std::size_t IdTable::common_prefix(Environment& environment) const {
    if (size() == 0) return 0;
    const std::string_view first = bytes(0);
    std::size_t shared = first.size();
    for (std::uint32_t i = 0; i < size(); ++i) {
        if (i % kBlock == 0) check_interrupt(environment);
        const std::string_view id = bytes(i);
        const auto end = first.begin() + static_cast<std::ptrdiff_t>(std::min(shared, id.size()));
        shared = static_cast<std::size_t>(std::mismatch(first.begin(), end, id.begin()).first - first.begin());
    }
    return shared;
}

void IdTable::reorder(const std::vector<std::uint32_t>& old_index, Environment& environment) {
    std::vector<std::uint64_t> numbers(numbers_.size());
    std::vector<char> arena(arena_.size());
    std::uint64_t end_of_id = 0;
    for (std::size_t i = 0; kind() == IdKind::Text && i < numbers.size(); ++i) {
        if (i % kBlock == 0) check_interrupt(environment);
        numbers[i] = end_of_id += bytes(old_index[i]).size();
    }
    parallel_ranges(environment, old_index.size(), kBlock, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t i = begin; i < end; ++i) {
            if (kind() == IdKind::Integer) {
                numbers[i] = numbers_[old_index[i]];
                continue;
            }
            const std::string_view id = bytes(old_index[i]);
            const std::size_t to = kind() == IdKind::Uuid ? kUuidBytes * i : numbers[i] - id.size();
            std::copy(id.begin(), id.end(), arena.begin() + static_cast<std::ptrdiff_t>(to));
        }
    });
    numbers_.swap(numbers);
    arena_.swap(arena);
    refer();
}

std::size_t IdTable::memory() const {
    return slots_.size() * sizeof(slots_[0]) + numbers_.capacity() * sizeof(numbers_[0]) + arena_.capacity();
}

}  // namespace mf
