#include "pg/serving/user_scan.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/interruptible_sort.hpp"
#include "core/base/key_sort.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {

namespace {

void scan_histories(const ServingModel& model, const Source& source, const std::vector<Id>* only, RowSink& sink) {
    if (only != nullptr)
        scan_users(source, *only, sink, ScanFor::Histories, model.version.owner);
    else
        scan_source(source, sink, ScanFor::Histories, model.version.owner);
}

}  // namespace

UserScan::UserScan(const ServingModel& model, bool want_seen, std::size_t max_list_bytes)
    : model_(model),
      max_memory_(setting_max_memory()),
      rows_(model.user_kind, model.items.ids(), want_seen, max_list_bytes),
      chunks_(RowChunk(model.user_kind, model.item_kind), RowChunk(model.user_kind, model.item_kind)) {}

void UserScan::read(const Source& source, const std::vector<Id>* only) {
    // A source need not give the same rows in every pass: users that appear later are left out.
    if (!first_) rows_.read_again();
    first_ = false;
    scan_histories(model_, source, only, *this);
    add_chunk();
    chunks_.finish();
    rows_.finish();
    check_memory();
}

void UserScan::rows(const RowBatch& batch) {
    RowChunk& chunk = chunks_.filled();
    batch.with_users([&chunk](auto ids) { chunk.users.append(ids); });
    batch.with_items([&chunk](auto ids) { chunk.items.append(ids); });
    const std::size_t before = chunk.size();
    chunk.values.resize(before + batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) chunk.values[before + i] = batch.value(i);
    if (const Recency& recency = model_.recency(); recency.weighs())
        for (const double time : batch.times()) chunk.weights.push_back(recency.weight(time));
    if (chunk.is_full()) add_chunk();
}

void UserScan::add_chunk() {
    chunks_.hand_over([this](const RowChunk& chunk) {
        rows_.add(chunk);
        check_memory();
    });
}

void UserScan::check_memory() const {
    constexpr std::size_t kUserBytes = 24;  // of what the caller keeps of each user
    const std::size_t need = rows_.memory() + kUserBytes * std::size_t{users().size()};
    if (need <= max_memory_) return;
    throw MemoryLimitExceeded("the users of the source of model \"" + model_.name + "\" need at least " +
                                  megabytes(need) + " of memory, mf_ext.max_memory is " + megabytes(max_memory_),
                              std::to_string(users().size()) + " users read so far.",
                              "Raise mf_ext.max_memory, or call mf_recommend for one user after the other.");
}

HistoryScan::HistoryScan(const ServingModel& model, const IdTable& users, const std::vector<bool>& chosen,
                         std::uint32_t first, std::uint32_t end, std::size_t max_bytes, Environment& environment)
    : model_(model),
      users_(users),
      chosen_(chosen),
      first_(first),
      end_(end),
      limit_(end),
      max_bytes_(max_bytes),
      environment_(environment) {
    // Growing holds two copies for a moment. Untouched memory costs nothing, but a process may have no more address
    // space than it needs.
    constexpr std::size_t kFirstBytes = std::size_t{64} << 20;
    rows_.reserve(std::min(max_bytes, kFirstBytes) / sizeof(UserRow) + 1);
}

void HistoryScan::read(const Source& source, const std::vector<Id>* only, RowSink* also) {
    rows_.clear();
    whole_.clear();
    limit_ = end_;
    also_ = also;
    scan_histories(model_, source, only, *this);
}

void HistoryScan::pass_on(const std::function<void(std::uint32_t, std::span<HistoryRow>)>& use) {
    // merge_history() orders the rows of a user whatever their order.
    sort_by_key(std::span(rows_), users_.size(), environment_, [](const UserRow& row) { return row.user; });
    std::vector<HistoryRow> history;
    for (std::size_t begin = 0, end; begin < rows_.size(); begin = end) {
        history.clear();
        for (end = begin; end < rows_.size() && rows_[end].user == rows_[begin].user; ++end)
            history.push_back(expanded(rows_[end]));
        use(rows_[begin].user, history);
    }
    first_ = limit_;
}

HistoryRow HistoryScan::expanded(const UserRow& row) const {
    const SortedIds& items = model_.items.ids();
    if (row.item >= items.size()) return whole_[row.item - items.size()];
    return {items.hash(row.item), row.item, row.value, 0};
}

void HistoryScan::rows(const RowBatch& batch) {
    if (also_ != nullptr) also_->rows(batch);
    std::uint32_t users[kBatchRows];
    std::uint32_t items[kBatchRows];
    std::uint64_t hashes[kBatchRows];
    batch.with_users([&](auto ids) { users_.find(ids, users); });
    find_items(model_.items.ids(), batch, items, hashes);
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (users[i] < first_ || users[i] >= limit_ || !chosen_[users[i]]) continue;  // kUnknown is above any limit
        if (bytes() >= max_bytes_) narrow();
        check_history_memory(model_, bytes());
        if (users[i] < limit_) add(users[i], {hashes[i], items[i], batch.value(i), batch.times()[i]});
    }
}

void HistoryScan::add(std::uint32_t user, const HistoryRow& row) {
    if (row.item != SortedIds::kUnknown && row.time == 0) {
        rows_.push_back({user, row.item, row.value});
        return;
    }
    const std::size_t place = model_.items.size() + whole_.size();
    if (place >= SortedIds::kUnknown) throw InvalidData("too many rows to be numbered");
    whole_.push_back(row);
    rows_.push_back({user, static_cast<std::uint32_t>(place), 0});
}

/// Leaves the users of the upper half of the rows to another pass. One user may take more than the limit.
void HistoryScan::narrow() {
    const auto by_user = [](const UserRow& a, const UserRow& b) { return a.user < b.user; };
    const std::size_t middle = rows_.size() / 2;
    nth_element_with_checkpoints(std::span(rows_), middle, environment_, by_user);
    // The least user is in the lower half by now.
    const auto half = rows_.begin() + static_cast<std::ptrdiff_t>(middle);
    const std::uint32_t least = std::min_element(rows_.begin(), half + 1, by_user)->user;
    limit_ = std::max(half->user, least + 1);
    check_interrupt(environment_);
    std::erase_if(rows_, [this](const UserRow& row) { return row.user >= limit_; });
    std::vector<HistoryRow> left;
    for (UserRow& row : rows_) {
        if (row.item < model_.items.size()) continue;
        left.push_back(whole_[row.item - model_.items.size()]);
        row.item = static_cast<std::uint32_t>(model_.items.size() + left.size() - 1);
    }
    whole_ = std::move(left);
    max_bytes_ = std::max(max_bytes_, 2 * bytes());
}

}  // namespace mf::pg
