#include "pg/distributed/run_tables.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "pg/distributed/block_data.hpp"
#include "pg/sql/quoting.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {

namespace {

constexpr const char* kTables[] = {"rows", "parts", "shared"};

template <class T>
std::string number(T value) {
    return std::to_string(static_cast<std::int64_t>(value));
}

void execute(const Catalog& catalog, const std::string& sql) {
    pg_call([&catalog, sql = sql.c_str()] { run_statement_unsafe(catalog, sql, 0, nullptr); });
}

void execute_with_bytes(const Catalog& catalog, const std::string& sql, std::string_view bytes) {
    require_datum_size(bytes.size());
    pg_call([&catalog, sql = sql.c_str(), bytes] {
        const Parameter parameter{BYTEAOID, bytea_unsafe(bytes), false};
        run_statement_unsafe(catalog, sql, 1, &parameter);
        pfree(DatumGetPointer(parameter.value));
    });
}

}  // namespace

std::string RunTables::plain_name(const char* table) const { return "mf_run_" + number(run_) + "_" + table; }

std::string RunTables::name(const char* table) const {
    return quoted_name(schema_name(catalog_.schema), plain_name(table));
}

std::string RunTables::sql(std::string text) const {
    for (const char* table : kTables) replace_all(text, "{" + std::string(table) + "}", name(table));
    replace_all(text, "{run}", number(run_));
    replace_all(text, "{mf}", extension_schema(catalog_));
    return text;
}

std::vector<BlockOfBucket> RunTables::blocks(const std::string& sql) const {
    std::vector<BlockOfBucket> result;
    ExceptionHolder exception;
    pg_call([this, &result, &exception, sql = sql.c_str()] {
        execute_unsafe(relation_owner_unsafe(catalog_.models), {sql, 0, nullptr},
                       [&](std::uint64_t rows, const SPITupleTable* table) {
                           for (std::uint64_t i = 0; i < rows; ++i) {
                               bool null;
                               const Datum bucket = SPI_getbinval(table->vals[i], table->tupdesc, 1, &null);
                               const Datum block = SPI_getbinval(table->vals[i], table->tupdesc, 2, &null);
                               const std::string_view bytes = bytes_unsafe(block);
                               exception.run([&] { result.push_back({DatumGetInt32(bucket), std::string(bytes)}); });
                               free_bytes_unsafe(block, bytes);
                           }
                       });
    });
    exception.rethrow();
    return result;
}

void RunTables::insert_rows(std::int32_t side, std::uint32_t bucket, std::uint32_t buckets,
                            std::string_view block) const {
    const std::uint64_t place = std::uint64_t{bucket} * static_cast<std::uint32_t>(places_) / buckets;
    execute_with_bytes(catalog_,
                       sql("INSERT INTO {rows} (run, place, side, bucket, block) VALUES ({run}, " + number(place) +
                           ", " + number(side) + ", " + number(bucket) + ", $1)"),
                       block);
}

void RunTables::insert_part(std::uint32_t bucket, std::uint32_t of_users, std::string_view part) const {
    execute_with_bytes(
        catalog_,
        sql("INSERT INTO {parts} (bucket, users, part) VALUES (" + number(bucket) + ", " + number(of_users) + ", $1)"),
        part);
}

void RunTables::join_items(const PackArguments& users, std::uint32_t buckets) const {
    execute_with_bytes(catalog_,
                       sql("INSERT INTO {rows} (run, place, side, bucket, block) SELECT {run}, bucket * " +
                           number(places_) + " / " + number(buckets) +
                           ", 1, bucket, {mf}.mf_join_parts(NULL, users, part, $1) FROM {parts} GROUP BY"
                           " bucket"),
                       users.write());
    execute(catalog_, sql("TRUNCATE {parts}"));
}

std::vector<std::uint32_t> RunTables::count_items(std::uint32_t buckets) const {
    std::vector<std::uint32_t> counts;
    for (std::uint32_t bucket = 0; bucket < buckets; ++bucket) {
        const std::vector<BlockOfBucket> found = blocks(heads_query(RowSide::Items, bucket));
        counts.push_back(found.empty() ? 0 : RowHeads(found.front().bytes).rows());
    }
    return counts;
}

// To be followed by what is selected for each of them; a join with one would keep Citus from sending rows as they come.
std::string RunTables::for_all_places() const {
    return last_place() == 0 ? "" : ", pg_catalog.generate_series(0, " + number(last_place()) + ") AS place";
}

void RunTables::number_users(const PackArguments& items) const {
    const std::string heads = number(PartKind::Heads);
    const std::string place = last_place() == 0 ? "0" : "place";
    execute(catalog_, sql("INSERT INTO {shared} (run, place, part, kind, version, bucket, block) SELECT {run}, " +
                          place + ", " + heads +
                          ", 0, 0, bucket, heads FROM (SELECT bucket, {mf}.mf_row_heads(block) AS heads FROM"
                          " {rows} WHERE run = {run} AND side = 1) AS items" +
                          for_all_places()));
    execute_with_bytes(catalog_,
                       sql("INSERT INTO {rows} (run, place, side, bucket, block) SELECT r.run, r.place, 0, r.bucket,"
                           " {mf}.mf_number_rows(r.block, s.bucket, s.block, $1) FROM {rows} AS r JOIN {shared} AS s"
                           " ON s.run = r.run AND s.place = r.place WHERE r.run = {run} AND r.side = " +
                           number(kRawUsers) + " AND s.part = " + heads + " GROUP BY r.run, r.place, r.bucket"),
                       items.write());
    execute(catalog_, sql("DELETE FROM {rows} WHERE run = {run} AND side = " + number(kRawUsers)));
    execute(catalog_, sql("DELETE FROM {shared} WHERE run = {run} AND part = " + heads));
}

void RunTables::share_again() const {
    const std::string last = number(last_place());
    if (last_place() == 0) return;
    execute(catalog_, sql("DELETE FROM {shared} WHERE run = {run} AND place < " + last));
    execute(catalog_,
            sql("INSERT INTO {shared} (run, place, part, kind, version, bucket, block) SELECT run, other, part,"
                " kind, version, bucket, block FROM (SELECT * FROM {shared} WHERE run = {run} AND place = " +
                last + ") AS s, pg_catalog.generate_series(0, " + last + " - 1) AS other"));
}

void RunTables::share(const std::string& columns, std::string_view block) const {
    execute_with_bytes(
        catalog_,
        sql("INSERT INTO {shared} (run, place, part, kind, version, bucket, block) SELECT {run}, place, " + columns +
            ", $1 FROM pg_catalog.generate_series(0, " + number(last_place()) + ") AS place"),
        block);
}

void RunTables::insert_factors(FactorKind kind, RowSide side, std::uint32_t version, std::uint32_t bucket,
                               std::string_view block) const {
    share(number(side) + ", " + number(kind) + ", " + number(version) + ", " + number(bucket), block);
}

StepSums RunTables::run_step(const Step& step, std::uint32_t steps, Environment& environment) const {
    const std::string own = number(step.side), others = number(other(step.side)), kind = number(step.of);
    const std::string step_part = number(PartKind::Step), sums_part = number(PartKind::Sums);
    const std::string place = last_place() == 0 ? "0" : "place";
    share(step_part + ", 0, " + number(steps) + ", 0", step.write());
    std::string needed = "s.part = " + step_part;
    if (step.reads_other != 0)
        needed +=
            " OR (s.part = " + others + " AND s.kind = " + kind + " AND s.version = " + number(step.reads_other) + ")";
    if (step.reads_own != 0)
        needed += " OR (s.part = " + own + " AND s.kind = " + kind + " AND s.version = " + number(step.reads_own) +
                  " AND s.bucket = r.bucket)";
    const bool writes = step.writes != 0;
    const std::string part = writes ? own : sums_part;
    const std::string version = number(writes ? step.writes : steps);
    execute(catalog_,
            sql("INSERT INTO {shared} (run, place, part, kind, version, bucket, block) SELECT {run}, " + place + ", " +
                part + ", " + kind + ", " + version +
                ", bucket, block FROM (SELECT r.bucket,"
                " {mf}.mf_half_step(r.block, r.side, r.bucket, s.part, s.bucket, s.block) AS block"
                " FROM {rows} AS r JOIN {shared} AS s ON s.run = r.run AND s.place = r.place"
                " WHERE r.run = {run} AND s.run = {run} AND r.side = " +
                own + " AND (" + needed + ") GROUP BY r.run, r.place, r.bucket) AS results" + for_all_places()));
    StepSums sums;
    for (const BlockOfBucket& block :
         blocks(sql("SELECT bucket, {mf}.mf_step_sums(block) FROM {shared} WHERE run = {run} AND place = " +
                    number(last_place()) + " AND part = " + part + " AND kind = " + kind + " AND version = " + version +
                    " ORDER BY bucket"))) {
        sums += read_sums(block.bytes);
        check_interrupt(environment);
    }
    return sums;
}

void RunTables::forget(const Schedule& schedule) const {
    std::string kept = "false";
    for (const FactorKind kind : {FactorKind::Rating, FactorKind::Ranking})
        for (const RowSide side : {RowSide::Users, RowSide::Items})
            for (const std::uint32_t version : schedule.kept(kind, side))
                kept += " OR (part = " + number(side) + " AND kind = " + number(kind) +
                        " AND version = " + number(version) + ")";
    execute(catalog_, sql("DELETE FROM {shared} WHERE run = {run} AND NOT (" + kept + ")"));
}

std::string RunTables::heads_query(RowSide side, std::uint32_t bucket) const {
    return sql("SELECT bucket, {mf}.mf_row_heads(block) FROM {rows} WHERE run = {run} AND side = " + number(side) +
               " AND bucket = " + number(bucket));
}

std::string RunTables::only_block(const std::string& sql, std::uint32_t bucket) const {
    std::vector<BlockOfBucket> found = blocks(sql);
    if (found.size() != 1) throw InvalidData("a training run has lost a block of bucket " + number(bucket));
    return std::move(found.front().bytes);
}

std::string RunTables::rows_of(std::int32_t side, std::uint32_t bucket) const {
    return only_block(sql("SELECT bucket, block FROM {rows} WHERE run = {run} AND side = " + number(side) +
                          " AND bucket = " + number(bucket)),
                      bucket);
}

std::string RunTables::heads_of(RowSide side, std::uint32_t bucket) const {
    return only_block(heads_query(side, bucket), bucket);
}

std::string RunTables::factors_of(FactorKind kind, RowSide side, std::uint32_t version, std::uint32_t bucket) const {
    return only_block(sql("SELECT bucket, block FROM {shared} WHERE run = {run} AND place = " + number(last_place()) +
                          " AND part = " + number(side) + " AND kind = " + number(kind) +
                          " AND version = " + number(version) + " AND bucket = " + number(bucket)),
                      bucket);
}

bool RunTables::is_partitioned() const {
    const std::string rows = plain_name("rows");
    return pg_call([schema = catalog_.schema, rows = rows.c_str()] {
        return get_rel_relkind(get_relname_relid(rows, schema)) == RELKIND_PARTITIONED_TABLE;
    });
}

void RunTables::begin() const {
    const auto set = [](const char* setting, const char* value) {
        pg_call(
            [=] { set_config_option(setting, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false); });
    };
    // Citus collects what a step gives here before it shares it: in memory, if it may take so much, not in a file.
    const std::size_t kilobytes = std::min<std::size_t>(setting_max_memory() / 2048, MAX_KILOBYTES);
    if (kilobytes > static_cast<std::size_t>(work_mem)) set("work_mem", number(kilobytes).c_str());
    if (!is_partitioned()) return;
    // Only then is a join and its groups sent to the server that has both.
    set("enable_partitionwise_join", "on");
    set("enable_partitionwise_aggregate", "on");
}

void RunTables::drop() const {
    // What lies on other servers is in tables that stay.
    const bool is_foreign = is_partitioned();
    for (const char* table : {"rows", "shared"})
        if (is_foreign) execute(catalog_, sql("DELETE FROM {" + std::string(table) + "} WHERE run = {run}"));
    for (const char* table : kTables) execute(catalog_, "DROP TABLE IF EXISTS " + name(table));
}

}  // namespace mf::pg
