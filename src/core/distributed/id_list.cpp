#include "core/distributed/id_list.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace mf {

namespace {

// of_integer(i) or of_bytes(i) gives the i-th of `size` ids.
template <class OfInteger, class OfBytes>
void write(std::uint32_t size, IdKind kind, const OfInteger& of_integer, const OfBytes& of_bytes, WireWriter& writer) {
    writer.value(size);
    writer.value(static_cast<std::uint32_t>(kind));
    std::vector<std::uint64_t> numbers(kind == IdKind::Uuid ? 0 : size);
    std::string arena;
    for (std::uint32_t i = 0; i < size; ++i) {
        if (kind == IdKind::Integer) {
            numbers[i] = static_cast<std::uint64_t>(of_integer(i));
            continue;
        }
        arena += of_bytes(i);
        if (kind == IdKind::Text) numbers[i] = arena.size();
    }
    writer.value(static_cast<std::uint64_t>(arena.size()));
    writer.array(std::span<const std::uint64_t>(numbers));
    writer.array(std::span<const char>(arena));
}

}  // namespace

void write_ids(const Ids& ids, WireWriter& writer) {
    write(
        ids.size(), ids.kind(), [&](std::uint32_t i) { return ids.integer(i); },
        [&](std::uint32_t i) { return ids.bytes(i); }, writer);
}

IdList::IdList(WireReader& reader) {
    size_ = reader.value<std::uint32_t>();
    const auto kind = reader.value<std::uint32_t>();
    if (kind > static_cast<std::uint32_t>(IdKind::Text)) throw InvalidData("a block of a training run has no such ids");
    kind_ = static_cast<IdKind>(kind);
    const auto arena_size = reader.value<std::uint64_t>();
    numbers_ = reader.raw<std::uint64_t>(kind_ == IdKind::Uuid ? 0 : size_);
    arena_ = reader.raw<char>(arena_size);
    bool is_valid = arena_size == (kind_ == IdKind::Uuid ? kUuidBytes * std::uint64_t{size_} : arena_size);
    if (kind_ == IdKind::Text) {
        std::uint64_t end = 0;
        for (std::uint32_t i = 0; i < size_ && is_valid; ++i) {
            const auto next = static_cast<std::uint64_t>(integer(i));
            is_valid = next >= end && next <= arena_size;
            end = next;
        }
    }
    if (!is_valid) throw InvalidData("a block of a training run has ids of wrong lengths");
}

std::int64_t IdList::integer(std::uint32_t index) const {
    std::int64_t result;
    std::memcpy(&result, numbers_.data() + std::size_t{index} * sizeof result, sizeof result);
    return result;
}

std::string_view IdList::bytes(std::uint32_t index) const {
    if (kind_ == IdKind::Uuid) return arena_.substr(std::size_t{index} * kUuidBytes, kUuidBytes);
    const auto begin = index == 0 ? std::size_t{0} : static_cast<std::size_t>(integer(index - 1));
    return arena_.substr(begin, static_cast<std::size_t>(integer(index)) - begin);
}

std::string IdList::text(std::uint32_t index) const {
    return kind_ == IdKind::Integer ? id_text(integer(index)) : id_text(kind_, bytes(index));
}

std::uint32_t IdList::intern_in(IdTable& table, std::uint32_t index) const {
    return kind_ == IdKind::Integer ? table.intern(integer(index)) : table.intern(bytes(index));
}

std::optional<std::uint32_t> IdList::find_in(const Ids& table, std::uint32_t index) const {
    return kind_ == IdKind::Integer ? table.find(integer(index)) : table.find(bytes(index));
}

void IdList::write(std::span<const std::uint32_t> indices, WireWriter& writer) const {
    mf::write(
        static_cast<std::uint32_t>(indices.size()), kind_, [&](std::uint32_t i) { return integer(indices[i]); },
        [&](std::uint32_t i) { return bytes(indices[i]); }, writer);
}

IdRanges::IdRanges(std::string_view bytes) {
    WireReader reader(bytes);
    const IdList begins(reader);
    reader.finish();
    kind_ = begins.kind();
    for (std::uint32_t i = 0; i < begins.size(); ++i) {
        if (kind_ == IdKind::Integer)
            integers_.push_back(begins.integer(i));
        else
            begins_.emplace_back(begins.bytes(i));
    }
    if (!std::ranges::is_sorted(integers_) || !std::ranges::is_sorted(begins_))
        throw InvalidData("the ranges of a training run are not in order");
}

std::string IdRanges::of_sample(const Ids& sorted, std::span<const std::uint64_t> counts, std::uint32_t count) {
    const std::uint64_t total = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
    std::vector<std::uint32_t> begins;
    std::uint64_t before = 0;
    for (std::uint32_t i = 0; i < sorted.size(); ++i) {
        // The range begins where its share of the sample does.
        const auto due = static_cast<std::uint64_t>(begins.size() + 1) * total;
        if (i > 0 && begins.size() + 1 < count && before * count >= due) begins.push_back(i);
        before += counts[i];
    }
    WireWriter writer;
    write(
        static_cast<std::uint32_t>(begins.size()), sorted.kind(),
        [&](std::uint32_t i) { return sorted.integer(begins[i]); },
        [&](std::uint32_t i) { return sorted.bytes(begins[i]); }, writer);
    return writer.take();
}

std::uint32_t IdRanges::size() const { return static_cast<std::uint32_t>(integers_.size() + begins_.size() + 1); }

std::uint32_t IdRanges::find(std::int64_t id) const {
    return static_cast<std::uint32_t>(std::ranges::upper_bound(integers_, id) - integers_.begin());
}

std::uint32_t IdRanges::find(std::string_view id) const {
    return static_cast<std::uint32_t>(std::ranges::upper_bound(begins_, id) - begins_.begin());
}

}  // namespace mf
