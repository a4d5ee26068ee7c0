#include "pg/cache/cache_release.hpp"

#include "pg/cache/item_directory.hpp"
#include "pg/models/model_rows.hpp"

namespace mf::pg {
namespace {

/// Set by a transaction that deletes versions or refreshes items, until its end.
Catalog catalog_at_commit;
bool due_at_commit = false;

bool is_dropped_unsafe(const Catalog& catalog, const ItemKey& key) {
    if (key.database != MyDatabaseId) return !SearchSysCacheExists1(DATABASEOID, ObjectIdGetDatum(key.database));
    return key.table != catalog.models || items_published_unsafe(catalog, key.model_id) != key.items_at;
}

void at_transaction_end(XactEvent event, void*) {
    if (!due_at_commit) return;
    switch (event) {
        case XACT_EVENT_PRE_COMMIT:  // the last moment at which tables can be read
            due_at_commit = false;
            release_dropped_unsafe(catalog_at_commit);
            break;
        case XACT_EVENT_ABORT:
        case XACT_EVENT_PREPARE:  // the next session that builds an image will evict them
            due_at_commit = false;
            break;
        default:
            break;
    }
}

}  // namespace

void release_dropped_unsafe(const Catalog& catalog) {
    if (due_at_commit) return;  // what this transaction has deleted still exists for all others
    auto* entries = static_cast<ItemEntry*>(palloc(sizeof(ItemEntry) * kItemSlots));
    const int count = read_items_unsafe(entries);
    for (int i = 0; i < count; ++i)
        if (is_dropped_unsafe(catalog, entries[i].key)) remove_items_unsafe(entries[i].key);
    pfree(entries);
}

void release_dropped_at_commit_unsafe(const Catalog& catalog) {
    static bool registered = false;
    if (!registered) RegisterXactCallback(at_transaction_end, nullptr);
    registered = true;
    catalog_at_commit = catalog;
    due_at_commit = true;
}

}  // namespace mf::pg
