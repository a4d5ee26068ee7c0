#include "core/retrieval/user_rows.hpp"

#include <algorithm>
#include <bit>

namespace mf {

void IdColumn::append(std::span<const std::string_view> ids) {
    for (const std::string_view id : ids) {
        arena_.append(id);
        ends_.push_back(arena_.size());
    }
}

void IdColumn::clear() {
    integers_.clear();
    ends_.clear();
    arena_.clear();
}

bool RowChunk::is_full() const {
    constexpr std::size_t kMostRows = std::size_t{1} << 16;
    constexpr std::size_t kMostBytes = std::size_t{4} << 20;
    return size() >= kMostRows || users.bytes() + items.bytes() >= kMostBytes;
}

void RowChunk::clear() {
    users.clear();
    items.clear();
    values.clear();
    weights.clear();
}

UserRows::UserRows(IdKind users, const Ids& items, bool want_seen, std::size_t max_list_bytes)
    : items_(items), want_seen_(want_seen), users_(users), seen_(items.size(), max_list_bytes) {}

void UserRows::read_again() {
    first_ = false;
    seen_.restart(seen_.end());
}

/// Numbers the users that were not found. Rows of one user often follow one another.
template <class Id>
void UserRows::number_new_users(std::span<const Id> ids, std::uint32_t* users) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (users[i] != Ids::kUnknown) continue;
        if (i > 0 && ids[i] == ids[i - 1]) {
            users[i] = users[i - 1];
            continue;
        }
        users[i] = users_.intern(ids[i]);
        if constexpr (std::is_same_v<Id, std::int64_t>) small_users_.add(ids[i], users[i]);
    }
}

void UserRows::find_users(std::span<const std::int64_t> ids, std::uint32_t* users) {
    constexpr std::size_t kFew = 8;
    const std::size_t unknown = small_users_.find(ids, users);
    if (unknown == 0) return;
    if ((unknown > kFew || !first_) && !SmallIds::takes_all(ids)) users_.find(ids, users);
    if (first_) number_new_users(ids, users);
}

void UserRows::find_users(std::span<const std::string_view> ids, std::uint32_t* users) {
    users_.find(ids, users);
    if (first_) number_new_users(ids, users);
}

void UserRows::add(const RowChunk& chunk) {
    constexpr std::size_t kMostRows = std::size_t{1} << 19;
    for (std::size_t begin = 0, end; begin < chunk.size(); begin = end) {
        end = std::min(chunk.size(), begin + IdColumn::kMostAtOnce);
        std::uint32_t users[IdColumn::kMostAtOnce];
        std::uint32_t items[IdColumn::kMostAtOnce];
        std::uint64_t hashes[IdColumn::kMostAtOnce];
        chunk.users.pass(begin, end, [&](auto ids) { find_users(ids, users); });
        chunk.items.pass(begin, end, [&](auto ids) { find_with_hashes(items_, ids, items, hashes); });
        for (std::size_t i = 0; i < end - begin; ++i)
            if (users[i] != Ids::kUnknown)
                rows_.push_back({users[i], items[i],
                                 chunk.weights.empty() ? HistoryDigest::summand(hashes[i], chunk.values[begin + i])
                                                       : HistoryDigest::summand(hashes[i], chunk.values[begin + i],
                                                                                chunk.weights[begin + i])});
        if (rows_.size() >= kMostRows) finish();
    }
}

/// The rows, stably sorted by ranges of users: a counting sort with as many ranges as there are cache lines to write
/// to at the same time.
std::span<const UserRows::Row> UserRows::in_order_of_users() {
    constexpr int kRangeBits = 9;
    const auto by_user = [](const Row& a, const Row& b) { return a.user < b.user; };
    if (std::is_sorted(rows_.begin(), rows_.end(), by_user)) return rows_;
    const int shift = std::max(0, static_cast<int>(std::bit_width(users_.size())) - kRangeBits);
    std::size_t begins[(std::size_t{1} << kRangeBits) + 1] = {};
    for (const Row& row : rows_) ++begins[(row.user >> shift) + 1];
    for (std::size_t range = 1; range < std::size(begins); ++range) begins[range] += begins[range - 1];
    sorted_.resize(rows_.size());
    for (const Row& row : rows_) sorted_[begins[row.user >> shift]++] = row;
    return sorted_;
}

void UserRows::finish() {
    constexpr std::size_t kAhead = 16;
    digests_.resize(users_.size());
    const std::span<const Row> rows = in_order_of_users();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const Row& row = rows[i];
        if (first_) digests_[row.user].add_summand(row.summand);
        if (!want_seen_) continue;
        if (i + kAhead < rows.size()) seen_.prefetch(rows[i + kAhead].user);
        if (row.item != Ids::kUnknown) seen_.add(row.user, row.item);
    }
    rows_.clear();
}

std::size_t UserRows::memory() const {
    return users_.memory() + digests_.capacity() * sizeof(HistoryDigest) + seen_.bytes() + small_users_.memory();
}

}  // namespace mf
