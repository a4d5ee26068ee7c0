// mf_cached_items, the rows of the view mf_cache
#include "pg/cache/cache_release.hpp"
#include "pg/cache/item_directory.hpp"
#include "pg/models/model_rows.hpp"
#include "pg/sql/results.hpp"
#include "pg/wall/boundary.hpp"

extern "C" {
#include "catalog/pg_authid.h"
#include "commands/dbcommands.h"
}

namespace mf::pg {
namespace {

/// The name to show, null if the current user may not see the entry.
const char* visible_name_unsafe(const Catalog& catalog, const ItemEntry& entry, bool sees_all) {
    // The model may have got another name and owner. Other databases cannot be asked.
    ModelLabel label{nullptr, InvalidOid, 0};
    if (entry.key.database == MyDatabaseId && entry.key.table == catalog.models)
        label = label_of_version_unsafe(catalog, entry.key.model_id);
    if (label.name == nullptr) return sees_all ? entry.label.model : nullptr;
    return sees_all || may_use_unsafe(catalog, label.name, label.owner) ? label.name : nullptr;
}

void put_entries_unsafe(FunctionCallInfo fcinfo) {
    begin_rows_unsafe(fcinfo);
    const Catalog catalog = catalog_unsafe(fcinfo);
    release_dropped_unsafe(catalog);
    auto* entries = static_cast<ItemEntry*>(palloc(sizeof(ItemEntry) * kItemSlots));
    const int count = read_items_unsafe(entries);
    const bool sees_all = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
    for (int i = 0; i < count; ++i) {
        const ItemEntry& entry = entries[i];
        const char* name = visible_name_unsafe(catalog, entry, sees_all);
        if (name == nullptr) continue;
        const char* database = get_database_name(entry.key.database);
        if (database == nullptr) continue;  // just dropped
        put_row_unsafe(fcinfo, {CStringGetTextDatum(database), CStringGetTextDatum(name),
                                Int32GetDatum(entry.label.version), Int64GetDatum(entry.key.model_id),
                                Int64GetDatum(entry.label.items), Int64GetDatum(static_cast<std::int64_t>(entry.bytes)),
                                Int64GetDatum(static_cast<std::int64_t>(entry.hits)),
                                TimestampTzGetDatum(entry.built_at), TimestampTzGetDatum(entry.last_used)});
    }
}

}  // namespace

MF_FUNCTION(mf_cached_items) {
    pg_call([fcinfo] { put_entries_unsafe(fcinfo); });
    return Datum{0};
}

}  // namespace mf::pg
