#include "pg/serving/history.hpp"

#include <algorithm>
#include <utility>

#include "core/base/error.hpp"
#include "core/retrieval/user_rows.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {
namespace {

class HistorySink : public RowSink {
  public:
    explicit HistorySink(const ServingModel& model) : model_(model) {
        constexpr std::size_t kUsual = 256;
        history_.reserve(kUsual);
    }

    void rows(const RowBatch& batch) override {
        std::uint32_t items[kBatchRows];
        std::uint64_t hashes[kBatchRows];
        find_items(model_.items.ids(), batch, items, hashes);
        if (history_.size() + batch.size() > history_.capacity())
            check_history_memory(model_, 3 * history_.capacity() * sizeof(HistoryRow));
        for (std::size_t i = 0; i < batch.size(); ++i)
            history_.push_back({hashes[i], items[i], batch.value(i), batch.times()[i]});
    }

    std::span<HistoryRow> history() { return history_; }

  private:
    const ServingModel& model_;
    std::vector<HistoryRow> history_;
};

}  // namespace

void find_items(const SortedIds& items, const RowBatch& batch, std::uint32_t* indices, std::uint64_t* hashes) {
    batch.with_items([&](auto ids) { find_with_hashes(items, ids, indices, hashes); });
}

void check_history_memory(const ServingModel& model, std::size_t bytes) {
    if (bytes <= setting_max_memory()) return;
    throw MemoryLimitExceeded("the history of one user needs at least " + megabytes(bytes) +
                                  " of memory, mf_ext.max_memory is " + megabytes(setting_max_memory()),
                              "The source of model \"" + model.name + "\" has that many rows of one user.",
                              "Raise mf_ext.max_memory, or train on a view that limits the rows of a user.");
}

History merge_history(std::span<HistoryRow> rows, const ServingModel& model) {
    std::sort(rows.begin(), rows.end(), [](const HistoryRow& a, const HistoryRow& b) {
        if (a.item != b.item) return a.item < b.item;
        if (a.item_hash != b.item_hash) return a.item_hash < b.item_hash;
        return merge_order(a.time, a.value, b.time, b.value) < 0;
    });
    const Recency& recency = model.recency();
    const bool may_be_negative = model.feedback == Feedback::Explicit || model.dislikes();
    History history;
    HistoryDigest digest;
    for (std::size_t begin = 0, end; begin < rows.size(); begin = end) {
        MergedValue merged(model.duplicates);
        for (end = begin;
             end < rows.size() && rows[end].item == rows[begin].item && rows[end].item_hash == rows[begin].item_hash;
             ++end)
            merged.add(rows[end].value, recency.weight(rows[end].time));
        const float value = merged.value();
        digest.add(rows[begin].item_hash, value, merged.weight());
        if (rows[begin].item == SortedIds::kUnknown) continue;
        history.seen.push_back(rows[begin].item);
        // A value that training would refuse still means that the user knows the item.
        if (std::isfinite(value) && (may_be_negative || value >= 0.0f))
            history.entries.push_back({rows[begin].item, value, merged.weight()});
    }
    history.digest = digest.value();
    return history;
}

History read_history(ServingModel& model, const Id& user) {
    const Oid reader = model.version.owner;
    const Oid relation = model.version.source;
    // The plan names the source. If that has been altered, its name may be another's by now. With the lock, which the
    // query takes anyway, nothing changes between this look and the query.
    const bool valid = pg_call([relation, reader, plan = model.history.get()] {
        require_select_unsafe(relation, reader);
        LockRelationOid(relation, AccessShareLock);
        return plan != nullptr && plan->is_valid_unsafe(reader);
    });
    if (!valid) model.history = std::make_shared<HistoryPlan>(current_source(model.name, model.version), reader);
    // The source may ask for recommendations itself, and find the plan no longer valid: this one is used to its end.
    const std::shared_ptr<const HistoryPlan> plan = model.history;
    HistorySink sink(model);
    try {
        plan->scan(user, sink);
    } catch (...) {
        // The source may have been altered.
        if (model.history == plan) model.history.reset();
        throw;
    }
    return merge_history(sink.history(), model);
}

}  // namespace mf::pg
