#include "core/ids.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "core/error.hpp"
#include "core/hash.hpp"

namespace mf {
namespace {

constexpr std::size_t kUuidBytes = 16;
constexpr std::size_t kInitialSlots = 64;
constexpr std::size_t kMaximumSlots = std::size_t{1} << 32;  // as many as hashes

/// Ids that intern() looks up at a time: enough for the misses of one to hide those of the others, few enough
/// for what is fetched to stay in the first-level cache.
constexpr std::size_t kBatch = 64;

/// Ids handled between two looks at the interrupt, and sorted at a time.
constexpr std::size_t kBlock = std::size_t{1} << 15;

/// Hashes for the table's slots. Not part of the product, unlike id_hash(): they may change, and take 8 bytes a
/// step.
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

constexpr std::uint64_t make_slot(std::uint32_t hash, std::uint32_t entry) { return std::uint64_t{hash} << 32 | entry; }
constexpr std::uint32_t hash_of(std::uint64_t slot) { return static_cast<std::uint32_t>(slot >> 32); }
constexpr std::uint32_t entry_of(std::uint64_t slot) { return static_cast<std::uint32_t>(slot); }

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
        for (std::size_t i = begin; i < end; ++i)
            moved[cursors[begin / kBlock * ranges + range_of[i]]++] = keys[i];
    });
    keys = std::move(moved);
    parallel_for(environment, ranges, [&](std::size_t range, int) {
        std::sort(keys.begin() + range_begins[range], keys.begin() + range_begins[range + 1], less);
    });
}

using IntegerText = char[20];  // room for the longest: -9223372036854775808

std::string_view write_integer(std::int64_t id, IntegerText& buffer) {
    const auto result = std::to_chars(buffer, buffer + sizeof(IntegerText), id);
    return {buffer, static_cast<std::size_t>(result.ptr - buffer)};
}

constexpr std::size_t kUuidText = 36;

constexpr bool is_hyphen_position(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

void write_uuid(std::string_view bytes, char* text) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::size_t byte = 0;
    for (std::size_t i = 0; i < kUuidText;) {
        if (is_hyphen_position(i)) {
            text[i++] = '-';
            continue;
        }
        const auto value = static_cast<unsigned char>(bytes[byte++]);
        text[i++] = kDigits[value >> 4];
        text[i++] = kDigits[value & 15];
    }
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
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
    if (kind_ == IdKind::Uuid && id.size() != kUuidBytes)
        throw std::logic_error("uuid id that has not 16 bytes");
}

template <class Id>
std::size_t IdTable::slot_of(Id id, std::uint32_t hash) const {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t slot = home_of(hash);; slot = (slot + 1) & mask) {
        const std::uint32_t entry = entry_of(slots_[slot]);
        if (entry == 0 || (hash_of(slots_[slot]) == hash && holds(entry - 1, id))) return slot;
    }
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

template <class Id>
void IdTable::intern_all(std::span<const Id> ids, std::uint32_t* indices) {
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
                index = intern_hashed(batch[i], hashes[i]);
            }
        }
    }
}

void IdTable::intern(std::span<const std::int64_t> ids, std::uint32_t* indices) { intern_all(ids, indices); }

void IdTable::intern(std::span<const std::string_view> ids, std::uint32_t* indices) { intern_all(ids, indices); }

template <class Id>
std::optional<std::uint32_t> IdTable::find_id(Id id) const {
    require_form(id);
    const std::uint32_t entry = entry_of(slots_[slot_of(id, table_hash(id))]);
    if (entry == 0) return std::nullopt;
    return entry - 1;
}

std::optional<std::uint32_t> IdTable::find(std::int64_t id) const { return find_id(id); }

std::optional<std::uint32_t> IdTable::find(std::string_view id) const { return find_id(id); }

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
    switch (kind_) {
        case IdKind::Integer: {
            IntegerText buffer;
            return std::string(write_integer(integers_[index], buffer));
        }
        case IdKind::Uuid:
            return uuid_text(bytes(index));
        case IdKind::Text:
            break;
    }
    return std::string(bytes(index));
}

std::uint64_t IdTable::hash(std::uint32_t index) const {
    switch (kind_) {
        case IdKind::Integer: {
            IntegerText buffer;
            return id_hash(write_integer(integers_[index], buffer));
        }
        case IdKind::Uuid: {
            char buffer[kUuidText];
            write_uuid(bytes(index), buffer);
            return id_hash({buffer, kUuidText});
        }
        case IdKind::Text:
            break;
    }
    return id_hash(bytes(index));
}

std::size_t IdTable::memory() const {
    return slots_.size() * sizeof(slots_[0]) + integers_.capacity() * sizeof(integers_[0]) +
           arena_.capacity() + ends_.capacity() * sizeof(ends_[0]);
}

std::string uuid_text(std::string_view bytes) {
    if (bytes.size() != kUuidBytes) throw std::logic_error("uuid id that has not 16 bytes");
    std::string text(kUuidText, '\0');
    write_uuid(bytes, text.data());
    return text;
}

bool parse_integer_id(std::string_view text, std::int64_t* id) {
    const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
    // from_chars would take leading zeros and "-0".
    if (digits.starts_with('0') && text != "0") return false;
    std::int64_t value;
    const char* end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value);
    if (result.ec != std::errc{} || result.ptr != end) return false;
    *id = value;
    return true;
}

bool parse_uuid_id(std::string_view text, std::string* bytes) {
    if (text.size() != kUuidText) return false;
    std::string parsed;
    for (std::size_t i = 0; i < kUuidText;) {
        if (is_hyphen_position(i)) {
            if (text[i++] != '-') return false;
            continue;
        }
        const int high = hex_value(text[i]);
        const int low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) return false;
        parsed.push_back(static_cast<char>(high << 4 | low));
        i += 2;
    }
    *bytes = std::move(parsed);
    return true;
}

}  // namespace mf
