#include "pg/training/item_changes.hpp"

#include "pg/training/interactions_scan.hpp"

namespace mf::pg {
namespace {

/// The number of rows of each item of a source.
class ItemCounts : public RowSink {
  public:
    explicit ItemCounts(IdKind kind) : ids_(kind) {}

    void rows(const RowBatch& batch) override {
        std::uint32_t items[kBatchRows];
        batch.with_items([&](auto ids) { ids_.intern(ids, items); });
        counts_.resize(ids_.size());
        require_refresh_memory(ids_.memory() + counts_.capacity() * sizeof(std::uint64_t), ids_.size(), "items");
        for (std::size_t i = 0; i < batch.size(); ++i) ++counts_[items[i]];
    }

    const IdTable& ids() const { return ids_; }
    std::uint64_t of(std::uint32_t item) const { return counts_[item]; }

  private:
    IdTable ids_;
    std::vector<std::uint64_t> counts_;
};

/// More or fewer by a quarter.
bool differs(std::uint64_t before, std::uint64_t now) {
    const std::uint64_t difference = before < now ? now - before : before - now;
    return difference > 0 && difference >= before / 4 + (before % 4 > 0 ? 1 : 0);
}

}  // namespace

ItemChanges find_item_changes(const Catalog& catalog, const ServedVersion& model, const Source& source,
                              std::uint64_t min_rows) {
    ItemCounts counts(source.item.kind());
    scan_items(source, counts, model.version.owner);
    ItemChanges changes;
    changes.items = counts.ids().size();
    std::vector<bool> known(counts.ids().size());
    const std::string label = version_label(model.name, model.version.version);
    read_item_counts(catalog, model.version.model_id, [&](const FactorRow& row) {
        Id id = stored_id(row.id, model.item_kind, "item", label);
        changes.storage = row.storage;
        const std::optional<std::uint32_t> item = id.find_in(counts.ids());
        if (!item) {
            changes.removed.emplace_back(row.id);
            return;
        }
        known[*item] = true;
        if (differs(row.source_rows, counts.of(*item))) changes.changed.push_back(std::move(id));
    });
    for (std::uint32_t item = 0; item < counts.ids().size(); ++item)
        if (!known[item] && counts.of(item) >= min_rows) changes.added.push_back(id_at(counts.ids(), item));
    return changes;
}

}  // namespace mf::pg
