#include "pg/serving/stored_lists.hpp"

#include <algorithm>

#include "core/retrieval/user_blocks.hpp"

namespace mf::pg {
namespace {

constexpr std::size_t kMostUsers = 2048;  // of a block

}  // namespace

StoredLists::StoredLists(const ServingModel& model, std::size_t n, const SubsetIndex* only, const ItemLists* seen,
                         const Environment& environment, UserListWriter& writer)
    : model_(model),
      n_(n),
      only_(only),
      seen_items_(seen),
      environment_(environment),
      writer_(writer),
      block_users_(block_users(n, model.items.size(), kMostUsers)),
      seen_(static_cast<std::size_t>(environment.threads)) {
    for (Block* block : {&filled_, &searched_})
        block->vectors = Array<float>(block_users_ * model.items.ranking().stride(), 0.0f);
}

StoredLists::~StoredLists() { next_ = searched_.ids.size(); }

void StoredLists::add(Id id, std::uint32_t user, std::span<const float> factors) {
    std::copy(factors.begin(), factors.end(),
              filled_.vectors.data() + filled_.ids.size() * model_.items.ranking().stride());
    filled_.ids.push_back(std::move(id));
    filled_.users.push_back(user);
    if (filled_.ids.size() == block_users_) hand_over();
}

void StoredLists::finish() {
    hand_over();
    hand_over();  // writes what the first call has handed over
}

/// Takes some users of the block that no thread has taken yet, and searches for them; false if there are none.
bool StoredLists::search_some(Seen& seen) {
    const std::size_t users = searched_.ids.size();
    const std::size_t at_once = queries_at_once(users, environment_.threads);
    const std::size_t begin = next_.fetch_add(at_once);
    if (begin >= users) return false;
    const std::size_t count = std::min(at_once, users - begin);
    seen.resize(count);
    for (std::vector<std::uint32_t>& items : seen) items.clear();
    if (seen_items_ != nullptr) seen_items_->get(std::span(searched_.users).subspan(begin, count), seen);
    if (only_ != nullptr)
        for (std::vector<std::uint32_t>& items : seen) only_->to_positions(items);
    const ItemIndex& items = only_ != nullptr ? only_->index() : model_.items.ranking();
    const std::vector<std::span<const std::uint32_t>> excluded(seen.begin(), seen.end());
    const FactorView queries(searched_.vectors.data() + begin * items.stride(), count, items.factors());
    const std::span<std::vector<ScoredItem>> lists = std::span(searched_.lists).subspan(begin, count);
    top_n_each(queries, items, n_, excluded, lists);
    if (only_ != nullptr)
        for (std::vector<ScoredItem>& list : lists) only_->to_items(list);
    return true;
}

/// Searches for the rest of the block that was handed over before, has the other threads search for the one that was
/// filled, and writes the lists of the first.
void StoredLists::hand_over() {
    while (search_some(seen_.front())) check_interrupt(environment_);
    beside_.wait();
    std::swap(filled_, searched_);
    searched_.lists.resize(searched_.ids.size());
    next_ = 0;
    beside_.start([this] {
        Environment others;
        others.threads = std::max(environment_.threads - 1, 1);
        parallel_for(others, static_cast<std::size_t>(others.threads), [this](std::size_t thread, int) {
            while (search_some(seen_[thread + 1 < seen_.size() ? thread + 1 : 0])) {
            }
        });
    });
    write(filled_);
}

void StoredLists::write(Block& block) {
    for (std::size_t i = 0; i < block.ids.size(); ++i) writer_.put(block.ids[i], block.lists[i]);
    writer_.flush();
    block.ids.clear();
    block.users.clear();
}

}  // namespace mf::pg
