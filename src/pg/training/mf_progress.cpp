// mf_training_progress, which the view mf_progress shows
#include "pg/models/privileges.hpp"
#include "pg/sql/results.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/progress.hpp"

extern "C" {
#include "catalog/pg_authid.h"
}

namespace mf::pg {
namespace {

void put_entry_unsafe(ReturnSetInfo* result, const ProgressEntry& entry, TimestampTz now) {
    const auto seconds = [](TimestampTz from, TimestampTz to) {
        return static_cast<double>(to - from) / USECS_PER_SEC;
    };
    const double left = entry.ends > now ? seconds(now, entry.ends) : 0.0;
    Datum values[10] = {Int32GetDatum(entry.pid),
                        CStringGetTextDatum(entry.model),
                        CStringGetTextDatum(entry.phase),
                        Int32GetDatum(entry.iterations_done),
                        Int32GetDatum(entry.iterations_total),
                        Float8GetDatum(entry.loss),
                        Int64GetDatum(entry.rows_read),
                        Float8GetDatum(static_cast<double>(entry.rows_read) / entry.read_seconds),
                        Float8GetDatum(seconds(entry.started, now)),
                        Float8GetDatum(left)};
    bool nulls[10] = {};
    nulls[4] = entry.iterations_total == 0;
    nulls[3] = nulls[4] && entry.iterations_done == 0;  // a search counts its points
    nulls[5] = std::isnan(entry.loss);
    nulls[7] = !(entry.read_seconds > 0);
    nulls[9] = entry.ends == 0;
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

void put_entries_unsafe(FunctionCallInfo fcinfo) {
    begin_rows_unsafe(fcinfo);
    const Catalog catalog = catalog_unsafe(fcinfo);
    ProgressEntry entries[kProgressSlots];
    const int count = read_progress_unsafe(entries);
    const TimestampTz now = GetCurrentTimestamp();
    const bool sees_all = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
    for (int i = 0; i < count; ++i)
        if (entries[i].database == MyDatabaseId &&
            (sees_all || may_use_unsafe(catalog, entries[i].model, entries[i].owner)))
            put_entry_unsafe(reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo), entries[i], now);
}

}  // namespace

MF_FUNCTION(mf_training_progress) {
    pg_call([fcinfo] { put_entries_unsafe(fcinfo); });
    return Datum{0};
}

}  // namespace mf::pg
