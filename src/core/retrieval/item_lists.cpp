#include "core/retrieval/item_lists.hpp"

#include <algorithm>
#include <cstring>

namespace mf {

ItemLists::ItemLists(std::uint32_t items, std::size_t max_bytes)
    : narrow_items_(items <= 65536), items_a_chunk_(narrow_items_ ? 30 : 15), max_chunks_(max_bytes / kChunkBytes) {}

std::uint32_t ItemLists::allocate() {
    if (free_ != kNone) {
        const std::uint32_t number = free_;
        free_ = chunk(number).next;
        return number;
    }
    // One user's list may go beyond the limit.
    if (used_ >= max_chunks_ && end_ - first_ > 1) return kNone;
    if (used_ == slabs_.size() * kChunksASlab) slabs_.push_back(std::make_unique<Chunk[]>(kChunksASlab));
    return used_++;
}

void ItemLists::release(List& list) {
    while (list.newest != kNone) {
        const std::uint32_t number = list.newest;
        list.newest = chunk(number).next;
        chunk(number).next = free_;
        free_ = number;
    }
    list.count = 0;
}

void ItemLists::narrow() {
    const std::size_t known = std::min<std::size_t>(lists_.size(), end_ - first_);
    const std::size_t kept = std::max<std::size_t>(known / 2, 1);
    end_ = first_ + static_cast<std::uint32_t>(kept);
    for (std::size_t i = kept; i < lists_.size(); ++i) release(lists_[i]);
    lists_.resize(std::min(kept, lists_.size()));
}

void ItemLists::add(std::uint32_t user, std::uint32_t item) {
    if (user < first_ || user >= end_) return;
    if (user - first_ >= lists_.size()) lists_.resize(user - first_ + 1);
    List* list = &lists_[user - first_];
    if (list->newest == kNone || list->count == items_a_chunk_) {
        std::uint32_t number = allocate();
        while (number == kNone) {
            narrow();
            if (user >= end_) return;
            number = allocate();
        }
        list = &lists_[user - first_];
        chunk(number).next = list->newest;
        list->newest = number;
        list->count = 0;
    }
    const std::uint32_t place = list->count++;
    Chunk& newest = chunk(list->newest);
    if (narrow_items_) {
        newest.items[place] = static_cast<std::uint16_t>(item);
    } else {
        std::memcpy(&newest.items[2 * place], &item, sizeof item);
    }
}

void ItemLists::restart(std::uint32_t first) {
    lists_.clear();
    used_ = 0;
    free_ = kNone;
    first_ = first;
    end_ = kNone;
}

void ItemLists::append(const Chunk& from, std::uint32_t count, std::vector<std::uint32_t>& items) const {
    for (std::uint32_t i = 0; i < count; ++i) {
        std::uint32_t item = from.items[i];
        if (!narrow_items_) std::memcpy(&item, &from.items[2 * i], sizeof item);
        items.push_back(item);
    }
}

void ItemLists::get(std::span<const std::uint32_t> users, std::span<std::vector<std::uint32_t>> items) const {
    struct Walk {
        std::uint32_t number;  // of the next chunk
        std::uint32_t count;   // of items in it
        std::size_t to;
    };
    std::vector<Walk> walks;
    for (std::size_t i = 0; i < users.size(); ++i) {
        if (users[i] < first_ || users[i] >= end_ || users[i] - first_ >= lists_.size()) continue;
        const List& list = lists_[users[i] - first_];
        if (list.newest == kNone) continue;
        __builtin_prefetch(&chunk(list.newest));
        walks.push_back({list.newest, list.count, i});
    }
    // A chunk of each user in turn, so that the next one arrives while those of the others are looked at.
    while (!walks.empty())
        std::erase_if(walks, [&](Walk& walk) {
            const Chunk& found = chunk(walk.number);
            if (found.next != kNone) __builtin_prefetch(&chunk(found.next));
            append(found, walk.count, items[walk.to]);
            walk = {found.next, items_a_chunk_, walk.to};
            return walk.number == kNone;
        });
}

}  // namespace mf
