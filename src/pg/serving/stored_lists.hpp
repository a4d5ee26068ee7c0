// Lists for users whose stored factors serve.
#pragma once

#include <atomic>

#include "core/retrieval/item_lists.hpp"
#include "core/retrieval/subset_index.hpp"
#include "pg/cache/serving_model.hpp"
#include "pg/serving/user_lists.hpp"
#include "pg/wall/environment.hpp"
#include "pg/wall/reading_thread.hpp"

namespace mf::pg {

/// Searches for users, a block at a time on all threads, while the calling thread fetches the next block and writes the
/// lists of the one before. Memory: two blocks of at most 2,048 users with their factors and lists (block_users()), and
/// for each thread a bit for each item and a few users.
class StoredLists {
  public:
    /// Lists of the n best items, or of the best of some if `only` is not null, without what `seen` has of the user
    /// unless that is null, go to `writer`. All arguments must outlive this object; nothing may change `seen`
    /// meanwhile.
    StoredLists(const ServingModel& model, std::size_t n, const SubsetIndex* only, const ItemLists* seen,
                const Environment& environment, UserListWriter& writer);
    ~StoredLists();

    /// Adds a user, whose number in `seen` is given, with factors as they are stored.
    void add(Id id, std::uint32_t user, std::span<const float> factors);

    /// Writes the lists of all users that were added.
    void finish();

  private:
    struct Block {
        Array<float> vectors;
        std::vector<Id> ids;
        std::vector<std::uint32_t> users;
        std::vector<std::vector<ScoredItem>> lists;
    };
    /// A thread's lists of seen items, kept for their memory.
    using Seen = std::vector<std::vector<std::uint32_t>>;

    void hand_over();
    void write(Block& block);
    bool search_some(Seen& seen);

    const ServingModel& model_;
    std::size_t n_;
    const SubsetIndex* only_;
    const ItemLists* seen_items_;
    Environment environment_;
    UserListWriter& writer_;
    std::size_t block_users_;
    std::vector<Seen> seen_;  ///< of each thread
    Block filled_;
    Block searched_;
    std::atomic<std::size_t> next_{0};  ///< the first user of searched_ that no thread has taken
    ReadingThread beside_;              ///< destroyed first
};

}  // namespace mf::pg
