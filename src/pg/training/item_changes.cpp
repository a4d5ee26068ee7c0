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
        require_refresh_memory(memory(), ids_.size(), "items read so far");
        for (std::size_t i = 0; i < batch.size(); ++i) ++counts_[items[i]];
    }

    const IdTable& ids() const { return ids_; }
    std::uint64_t of(std::uint32_t item) const { return counts_[item]; }
    std::size_t memory() const { return ids_.memory() + counts_.capacity() * sizeof(std::uint64_t); }

  private:
    IdTable ids_;
    std::vector<std::uint64_t> counts_;
};

/// More or fewer by a quarter.
bool differs(std::uint64_t before, std::uint64_t now) {
    const std::uint64_t difference = before < now ? now - before : before - now;
    return difference > 0 && difference >= before / 4 + (before % 4 > 0 ? 1 : 0);
}

/// The items with features that have no rows, or that have too few to be solved and are not.
void find_expected(const Ids& with_features, const ItemCounts& counts, std::uint64_t min_rows,
                   const std::vector<bool>& solved, ItemChanges& changes) {
    for (std::uint32_t i = 0; i < with_features.size(); ++i) {
        const std::optional<std::uint32_t> item = counts.ids().find(with_features, i);
        if (item && (solved[*item] || counts.of(*item) >= min_rows)) continue;
        changes.expected.intern(with_features, i);
    }
}

}  // namespace

ItemChanges find_item_changes(const Catalog& catalog, const ServedVersion& model, const Source& source,
                              std::uint64_t min_rows, const Ids* with_features) {
    ItemCounts counts(source.item.kind());
    scan_item_ids(source, counts, model.version.owner);
    const IdTable& ids = counts.ids();
    ItemChanges changes(model.item_kind);
    std::vector<bool> known(ids.size());
    std::vector<bool> changed(ids.size());
    std::vector<bool> solved(ids.size());  // by the version
    std::size_t memory = counts.memory();
    const std::string label = version_label(model.name, model.version.version);
    read_item_counts(catalog, model.version.model_id, [&](const FactorRow& row) {
        const Id id = stored_id(row.id, model.item_kind, "item", label);
        changes.storage = row.storage;
        const std::optional<std::uint32_t> item = id.find_in(ids);
        if (!item && with_features != nullptr && id.find_in(*with_features)) return;
        if (!item) {
            memory += ids_memory(IdKind::Text, 1, row.id.size());
            require_refresh_memory(memory, changes.removed.size(), "items without rows found so far");
            changes.removed.emplace_back(row.id);
            return;
        }
        known[*item] = true;
        solved[*item] = row.source_rows > 0;
        // Only items with features have no rows.
        changed[*item] =
            differs(row.source_rows, counts.of(*item)) && (row.source_rows > 0 || counts.of(*item) >= min_rows);
    });
    const auto is_added = [&](std::uint32_t item) { return !known[item] && counts.of(item) >= min_rows; };
    std::size_t to_solve = 0;
    std::size_t bytes = 0;
    for (std::uint32_t item = 0; item < ids.size(); ++item) {
        if (!changed[item] && !is_added(item)) continue;
        ++to_solve;
        if (ids.kind() != IdKind::Integer) bytes += ids.bytes(item).size();
    }
    require_refresh_memory(memory + ids_memory(ids.kind(), to_solve, bytes), to_solve, "items to be solved");
    changes.to_solve.reserve(to_solve);
    for (std::uint32_t item = 0; item < ids.size(); ++item)
        if (changed[item] && solved[item]) changes.to_solve.push_back(id_at(ids, item));
    changes.solved = changes.to_solve.size();
    for (std::uint32_t item = 0; item < ids.size(); ++item)
        if ((changed[item] && !solved[item]) || is_added(item)) changes.to_solve.push_back(id_at(ids, item));
    if (with_features != nullptr) find_expected(*with_features, counts, min_rows, solved, changes);
    return changes;
}

}  // namespace mf::pg
