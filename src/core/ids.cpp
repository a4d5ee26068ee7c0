#include "core/ids.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <stdexcept>

#include "core/error.hpp"
#include "core/hash.hpp"

namespace mf {
namespace {

constexpr std::size_t kUuidBytes = 16;
constexpr std::size_t kInitialSlots = 64;

/// Hash for the table's slots. Not part of the product, unlike id_hash(): it may change, and takes 8 bytes a
/// step.
std::uint64_t bytes_hash(std::string_view bytes) {
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
    return mix64(h ^ word);
}

/// The first 8 bytes as a number that compares like them; missing bytes count as zero.
std::uint64_t prefix_of(std::string_view bytes) {
    std::uint64_t prefix = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        prefix = prefix << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u);
    }
    return prefix;
}

/// What sort() compares first: it decides nearly always, without a look at the id itself.
struct SortKey {
    std::uint64_t leading;
    std::uint32_t index;
};

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
    : kind_(kind), maximum_size_(std::min(maximum_size, kMaximumSize)), slots_(kInitialSlots) {}

void IdTable::require_form(bool integer, std::size_t length) const {
    if (integer != (kind_ == IdKind::Integer)) throw std::logic_error("id of another kind than its table");
    if (kind_ == IdKind::Uuid && length != kUuidBytes)
        throw std::logic_error("uuid id that has not 16 bytes");
}

std::size_t IdTable::slot_of(std::int64_t id) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = mix64(static_cast<std::uint64_t>(id)) & mask;
    while (slots_[slot] != 0 && integers_[slots_[slot] - 1] != id) slot = (slot + 1) & mask;
    return slot;
}

std::size_t IdTable::slot_of(std::string_view id) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = bytes_hash(id) & mask;
    while (slots_[slot] != 0 && bytes(slots_[slot] - 1) != id) slot = (slot + 1) & mask;
    return slot;
}

void IdTable::require_room() const {
    if (size_ < maximum_size_) return;
    throw InvalidData("more than " + std::to_string(maximum_size_) + " distinct users or items");
}

std::uint32_t IdTable::occupy(std::size_t slot) {
    slots_[slot] = ++size_;
    return size_ - 1;
}

std::uint32_t IdTable::intern(std::int64_t id) {
    require_form(true, 0);
    std::size_t slot = slot_of(id);
    if (slots_[slot] != 0) return slots_[slot] - 1;
    require_room();
    if (is_crowded()) {
        grow();
        slot = slot_of(id);
    }
    integers_.push_back(id);
    return occupy(slot);
}

std::uint32_t IdTable::intern(std::string_view id) {
    require_form(false, id.size());
    std::size_t slot = slot_of(id);
    if (slots_[slot] != 0) return slots_[slot] - 1;
    require_room();
    if (is_crowded()) {
        grow();
        slot = slot_of(id);
    }
    const std::size_t begin = arena_.size();
    arena_.insert(arena_.end(), id.begin(), id.end());
    if (kind_ == IdKind::Text) {
        try {
            ends_.push_back(arena_.size());
        } catch (...) {
            // Without its end the id would become part of the next one.
            arena_.resize(begin);
            throw;
        }
    }
    return occupy(slot);
}

std::optional<std::uint32_t> IdTable::find(std::int64_t id) const {
    require_form(true, 0);
    const std::uint32_t entry = slots_[slot_of(id)];
    if (entry == 0) return std::nullopt;
    return entry - 1;
}

std::optional<std::uint32_t> IdTable::find(std::string_view id) const {
    require_form(false, id.size());
    const std::uint32_t entry = slots_[slot_of(id)];
    if (entry == 0) return std::nullopt;
    return entry - 1;
}

std::uint64_t IdTable::slot_hash(std::uint32_t index) const {
    return kind_ == IdKind::Integer ? mix64(static_cast<std::uint64_t>(integers_[index]))
                                    : bytes_hash(bytes(index));
}

void IdTable::grow() {
    std::vector<std::uint32_t> slots(2 * slots_.size());
    const std::size_t mask = slots.size() - 1;
    // In the order of the indices: reads the ids front to back and makes only the writes random.
    for (std::uint32_t index = 0; index < size_; ++index) {
        std::size_t slot = slot_hash(index) & mask;
        while (slots[slot] != 0) slot = (slot + 1) & mask;
        slots[slot] = index + 1;
    }
    slots_.swap(slots);
}

std::vector<std::uint32_t> IdTable::sort() {
    std::vector<SortKey> keys(size_);
    for (std::uint32_t i = 0; i < size_; ++i) {
        constexpr std::uint64_t kSign = std::uint64_t{1}
                                        << 63;  // flipped, two's complement compares as unsigned
        keys[i] = {
            kind_ == IdKind::Integer ? static_cast<std::uint64_t>(integers_[i]) ^ kSign : prefix_of(bytes(i)),
            i};
    }
    // string_view compares as unsigned bytes, the shorter of two equal prefixes first. Ids are distinct.
    std::sort(keys.begin(), keys.end(), [this](const SortKey& a, const SortKey& b) {
        if (a.leading != b.leading) return a.leading < b.leading;
        return kind_ != IdKind::Integer && bytes(a.index) < bytes(b.index);
    });
    std::vector<std::uint32_t> old_index(size_);
    for (std::uint32_t i = 0; i < size_; ++i) old_index[i] = keys[i].index;
    keys = {};

    std::vector<std::uint32_t> rank(size_);
    for (std::uint32_t i = 0; i < size_; ++i) rank[old_index[i]] = i;
    reorder(old_index);
    // An id's slot depends on the id alone, so the table needs new numbers only.
    for (std::uint32_t& entry : slots_) {
        if (entry != 0) entry = rank[entry - 1] + 1;
    }
    return rank;
}

void IdTable::reorder(const std::vector<std::uint32_t>& old_index) {
    std::vector<std::int64_t> integers;
    std::vector<char> arena;
    std::vector<std::uint64_t> ends;
    integers.reserve(integers_.size());
    arena.reserve(arena_.size());
    ends.reserve(ends_.size());
    for (const std::uint32_t old : old_index) {
        if (kind_ == IdKind::Integer) {
            integers.push_back(integers_[old]);
            continue;
        }
        const std::string_view id = bytes(old);
        arena.insert(arena.end(), id.begin(), id.end());
        if (kind_ == IdKind::Text) ends.push_back(arena.size());
    }
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
    return slots_.capacity() * sizeof(slots_[0]) + integers_.capacity() * sizeof(integers_[0]) +
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
