#include "core/data/ids.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "core/base/error.hpp"

namespace mf {
namespace {

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

IdTable::IdTable(IdKind kind, std::uint32_t maximum_size)
    : kind_(kind),
      maximum_size_(std::min(maximum_size, kMaximumSize)),
      hash_shift_(32 - std::countr_zero(kInitialSlots)),
      slots_(kInitialSlots, 0) {}

void IdTable::require_form(std::int64_t) const {
    if (kind_ != IdKind::Integer) throw std::logic_error("id of another kind than its table");
}

void IdTable::require_form(std::string_view id) const {
    if (kind_ == IdKind::Integer) throw std::logic_error("id of another kind than its table");
    if (kind_ == IdKind::Uuid && id.size() != kUuidBytes) throw std::logic_error("uuid id that has not 16 bytes");
}

template <class Id>
std::size_t IdTable::slot_of(Id id, std::uint32_t hash) const {
    return find_slot(slots_.data(), slots_.size() - 1, home_of(hash), hash,
                     [&](std::uint32_t index) { return holds(index, id); });
}

template <class Id>
std::uint32_t IdTable::intern_hashed(Id id, std::uint32_t hash) {
    std::size_t slot = slot_of(id, hash);
    if (slots_[slot] != 0) return entry_of(slots_[slot]) - 1;
    if (size_ == maximum_size_)
        throw InvalidData("more than " + std::to_string(maximum_size_) + " distinct users or items");
    if (2 * (std::size_t{size_} + 1) > slots_.size() && slots_.size() < kMaximumSlots) {
        grow();
        slot = slot_of(id, hash);
    }
    append(id);
    slots_[slot] = make_slot(hash, ++size_);
    return size_ - 1;
}

std::uint32_t IdTable::intern(std::int64_t id) {
    require_form(id);
    return intern_hashed(id, table_hash(id));
}

std::uint32_t IdTable::intern(std::string_view id) {
    require_form(id);
    return intern_hashed(id, table_hash(id));
}

void IdTable::append(std::string_view id) {
    const std::size_t begin = arena_.size();
    arena_.insert(arena_.end(), id.begin(), id.end());
    if (kind_ != IdKind::Text) return;
    try {
        ends_.push_back(arena_.size());
    } catch (...) {
        // Without its end the id would become part of the next one.
        arena_.resize(begin);
        throw;
    }
}

void IdTable::prefetch_ids(const std::uint32_t* entries, std::size_t count) const {
    switch (kind_) {
        case IdKind::Integer:
            for (std::size_t i = 0; i < count; ++i)
                if (entries[i] != 0) __builtin_prefetch(&integers_[entries[i] - 1]);
            break;
        case IdKind::Uuid:
            for (std::size_t i = 0; i < count; ++i)
                if (entries[i] != 0) __builtin_prefetch(arena_.data() + kUuidBytes * (entries[i] - 1));
            break;
        case IdKind::Text:
            for (std::size_t i = 0; i < count; ++i)
                if (entries[i] != 0) __builtin_prefetch(&ends_[entries[i] - 1]);
            for (std::size_t i = 0; i < count; ++i)
                if (entries[i] != 0) __builtin_prefetch(bytes(entries[i] - 1).data());
            break;
    }
}

template <class Id, class Resolve>
void IdTable::look_up_all(std::span<const Id> ids, std::uint32_t* indices, const Resolve& resolve) const {
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
            __builtin_prefetch(&slots_[home_of(hashes[i])]);
        }
        // Nearly every known id is in its home slot or in the next.
        const std::size_t mask = slots_.size() - 1;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t home = home_of(hashes[i]);
            const Slot first = slots_[home], second = slots_[(home + 1) & mask];
            const std::uint32_t other = hash_of(second) == hashes[i] ? entry_of(second) : 0;
            entries[i] = hash_of(first) == hashes[i] ? entry_of(first) : other;
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

void IdTable::intern(std::span<const std::int64_t> ids, std::uint32_t* indices) {
    look_up_all(ids, indices, [this](std::int64_t id, std::uint32_t hash) { return intern_hashed(id, hash); });
}

void IdTable::intern(std::span<const std::string_view> ids, std::uint32_t* indices) {
    look_up_all(ids, indices, [this](std::string_view id, std::uint32_t hash) { return intern_hashed(id, hash); });
}

template <class Id>
std::optional<std::uint32_t> IdTable::find_id(Id id, std::uint32_t hash) const {
    require_form(id);
    const std::uint32_t entry = entry_of(slots_[slot_of(id, hash)]);
    if (entry == 0) return std::nullopt;
    return entry - 1;
}

std::optional<std::uint32_t> IdTable::find(std::int64_t id) const { return find_id(id, table_hash(id)); }

std::optional<std::uint32_t> IdTable::find(std::string_view id) const { return find_id(id, table_hash(id)); }

void IdTable::find(std::span<const std::int64_t> ids, std::uint32_t* indices) const {
    look_up_all(ids, indices,
                [this](std::int64_t id, std::uint32_t hash) { return find_id(id, hash).value_or(kUnknown); });
}

void IdTable::find(std::span<const std::string_view> ids, std::uint32_t* indices) const {
    look_up_all(ids, indices,
                [this](std::string_view id, std::uint32_t hash) { return find_id(id, hash).value_or(kUnknown); });
}

void IdTable::grow() {
    Array<Slot> slots(2 * slots_.size(), 0);
    const std::size_t mask = slots.size() - 1;
    --hash_shift_;
    for (const Slot old : slots_) {
        if (old == 0) continue;
        std::size_t slot = home_of(hash_of(old));
        while (slots[slot] != 0) slot = (slot + 1) & mask;
        slots[slot] = old;
    }
    slots_ = std::move(slots);
}

std::vector<std::uint32_t> IdTable::sort() {
    Environment environment;
    return sort(environment);
}

std::vector<std::uint32_t> IdTable::sort(Environment& environment) {
    const std::size_t shared = kind_ == IdKind::Text ? common_prefix(environment) : 0;
    Array<SortKey> keys(size_);
    parallel_ranges(environment, size_, kBlock, [&](std::size_t begin, std::size_t end, int) {
        constexpr std::uint64_t kSign = std::uint64_t{1} << 63;  // flipped, two's complement compares as unsigned
        for (auto i = static_cast<std::uint32_t>(begin); i < end; ++i) {
            keys[i] = {kind_ == IdKind::Integer ? static_cast<std::uint64_t>(integers_[i]) ^ kSign
                                                : leading_bytes(bytes(i).substr(shared)),
                       i};
        }
    });
    // string_view compares as unsigned bytes, the shorter of two equal prefixes first. Ids are distinct.
    sort_keys(keys, environment, [this](const SortKey& a, const SortKey& b) {
        if (a.leading != b.leading) return a.leading < b.leading;
        return kind_ != IdKind::Integer && bytes(a.index) < bytes(b.index);
    });

    std::vector<std::uint32_t> old_index(size_);
    std::vector<std::uint32_t> rank(size_);
    parallel_ranges(environment, size_, kBlock, [&](std::size_t begin, std::size_t end, int) {
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
    if (size_ == 0) return 0;
    const std::string_view first = bytes(0);
    std::size_t shared = first.size();
    for (std::uint32_t i = 0; i < size_; ++i) {
        if (i % kBlock == 0) check_interrupt(environment);
        const std::string_view id = bytes(i);
        const auto end = first.begin() + static_cast<std::ptrdiff_t>(std::min(shared, id.size()));
        shared = static_cast<std::size_t>(std::mismatch(first.begin(), end, id.begin()).first - first.begin());
    }
    return shared;
}

void IdTable::reorder(const std::vector<std::uint32_t>& old_index, Environment& environment) {
    std::vector<std::int64_t> integers(integers_.size());
    std::vector<char> arena(arena_.size());
    std::vector<std::uint64_t> ends(ends_.size());
    std::uint64_t end_of_id = 0;
    for (std::size_t i = 0; i < ends.size(); ++i) {
        if (i % kBlock == 0) check_interrupt(environment);
        ends[i] = end_of_id += bytes(old_index[i]).size();
    }
    parallel_ranges(environment, old_index.size(), kBlock, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t i = begin; i < end; ++i) {
            if (kind_ == IdKind::Integer) {
                integers[i] = integers_[old_index[i]];
                continue;
            }
            const std::string_view id = bytes(old_index[i]);
            const std::size_t to = kind_ == IdKind::Uuid ? kUuidBytes * i : ends[i] - id.size();
            std::copy(id.begin(), id.end(), arena.begin() + static_cast<std::ptrdiff_t>(to));
        }
    });
    integers_.swap(integers);
    arena_.swap(arena);
    ends_.swap(ends);
}

std::string_view IdTable::bytes(std::uint32_t index) const {
    if (kind_ == IdKind::Uuid) return {arena_.data() + kUuidBytes * index, kUuidBytes};
    const std::uint64_t begin = index == 0 ? 0 : ends_[index - 1];
    return {arena_.data() + begin, static_cast<std::size_t>(ends_[index] - begin)};
}

std::string IdTable::text(std::uint32_t index) const {
    return kind_ == IdKind::Integer ? id_text(integers_[index]) : id_text(kind_, bytes(index));
}

std::uint64_t IdTable::hash(std::uint32_t index) const {
    return kind_ == IdKind::Integer ? id_text_hash(integers_[index]) : id_text_hash(kind_, bytes(index));
}

std::size_t IdTable::memory() const {
    return slots_.size() * sizeof(slots_[0]) + integers_.capacity() * sizeof(integers_[0]) + arena_.capacity() +
           ends_.capacity() * sizeof(ends_[0]);
}

}  // namespace mf
