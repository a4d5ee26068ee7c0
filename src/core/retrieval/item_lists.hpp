// Lists of items, one for each user, that are filled in any order within a fixed amount of memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace mf {

/// Users are numbered 0, 1, 2, …; the lists of a contiguous range of users are kept, at first from 0 on. If the lists
/// do not fit, the range is narrowed from above; the other users need another pass over the data. A list is a chain of
/// chunks, latest first; items take 2 bytes each if there are at most 65,536 of them, otherwise 4.
class ItemLists {
  public:
    /// Chunks take at most max_bytes, in addition to 8 bytes per user.
    ItemLists(std::uint32_t items, std::size_t max_bytes);

    /// Adds an item to the list of a user; does nothing if the user is outside the range. May narrow the range, down to
    /// one user, whose list is then kept whatever its size.
    void add(std::uint32_t user, std::uint32_t item);

    /// Brings to the cache what add() will write to. Worth it for calls of add() that are far apart in memory.
    void prefetch(std::uint32_t user) const {
        if (user < first_ || user - first_ >= lists_.size()) return;
        const std::uint32_t newest = lists_[user - first_].newest;
        if (newest != kNone) __builtin_prefetch(&chunk(newest), 1);
    }

    /// The users whose lists are complete: first() ≤ user < end().
    std::uint32_t first() const { return first_; }
    std::uint32_t end() const { return end_; }

    /// Empties the lists and moves the range to all users from `first` on.
    void restart(std::uint32_t first);

    /// Bytes of memory currently allocated.
    std::size_t bytes() const { return slabs_.size() * kChunksASlab * kChunkBytes + lists_.capacity() * sizeof(List); }

    /// Appends to items[i] what was added for users[i], in no particular order, or nothing for a user outside the
    /// range. For many users at once, whose cache misses then overlap: the chunks of a list are all over the memory.
    /// Any number of threads may call this at the same time.
    void get(std::span<const std::uint32_t> users, std::span<std::vector<std::uint32_t>> items) const;

  private:
    static constexpr std::uint32_t kNone = ~std::uint32_t{0};
    static constexpr std::size_t kChunkBytes = 64;
    static constexpr std::size_t kChunksASlab = std::size_t{1} << 14;

    struct alignas(kChunkBytes) Chunk {
        std::uint32_t next;
        std::uint16_t items[30];  // or 15 of 4 bytes
    };
    struct List {
        std::uint32_t newest = kNone;  ///< chunk; those before it are full
        std::uint32_t count = 0;       ///< items in the newest chunk
    };

    Chunk& chunk(std::uint32_t number) { return slabs_[number / kChunksASlab][number % kChunksASlab]; }
    const Chunk& chunk(std::uint32_t number) const { return slabs_[number / kChunksASlab][number % kChunksASlab]; }
    /// A chunk, or kNone if the memory is used up.
    std::uint32_t allocate();
    void release(List& list);
    /// Appends the first `count` items of a chunk.
    void append(const Chunk& from, std::uint32_t count, std::vector<std::uint32_t>& items) const;
    /// Gives up the upper half of the range, down to one user.
    void narrow();

    bool narrow_items_;
    std::uint32_t items_a_chunk_;
    std::size_t max_chunks_;
    std::uint32_t first_ = 0;
    std::uint32_t end_ = kNone;
    std::vector<List> lists_;  // of first_ and the users after it
    std::vector<std::unique_ptr<Chunk[]>> slabs_;
    std::uint32_t used_ = 0;      // chunks taken from slabs_
    std::uint32_t free_ = kNone;  // chain of chunks given back
};

}  // namespace mf
