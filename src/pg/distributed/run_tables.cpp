#include "pg/distributed/run_tables.hpp"

#include "core/base/error.hpp"
#include "pg/distributed/block_data.hpp"
#include "pg/sql/quoting.hpp"

extern "C" {
#include "port/pg_bswap.h"
}

namespace mf::pg {

namespace {

constexpr const char* kTables[] = {"rows", "parts", "shared"};

void replace_all(std::string& text, const std::string& from, const std::string& to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

std::string number(std::uint64_t value) { return std::to_string(value); }
template <class E>
std::string number_of(E value) {
    return std::to_string(static_cast<std::int64_t>(value));
}

std::int64_t execute(const Catalog& catalog, const std::string& sql, std::span<const Parameter> parameters = {}) {
    return pg_call([&catalog, sql = sql.c_str(), parameters] {
        return run_statement_unsafe(catalog, sql, static_cast<int>(parameters.size()), parameters.data()).rows;
    });
}

std::int64_t execute_with_bytes(const Catalog& catalog, const std::string& sql, std::string_view bytes) {
    require_datum_size(bytes.size());
    return pg_call([&catalog, sql = sql.c_str(), bytes] {
        const Parameter parameter{BYTEAOID, bytea_unsafe(bytes), false};
        const std::int64_t rows = run_statement_unsafe(catalog, sql, 1, &parameter).rows;
        pfree(DatumGetPointer(parameter.value));
        return rows;
    });
}

}  // namespace

std::string RunTables::plain_name(const char* table) const { return "mf_run_" + std::to_string(run_) + "_" + table; }

std::string RunTables::name(const char* table) const {
    return quoted_name(schema_name(catalog_.schema), plain_name(table));
}

std::string RunTables::sql(std::string text) const {
    for (const char* table : kTables) replace_all(text, "{" + std::string(table) + "}", name(table));
    replace_all(text, "{run}", std::to_string(run_));
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
                           ", " + std::to_string(side) + ", " + number(bucket) + ", $1)"),
                       block);
}

void RunTables::insert_part(std::uint32_t bucket, std::uint32_t of_users, std::string_view part) const {
    execute_with_bytes(
        catalog_,
        sql("INSERT INTO {parts} (bucket, users, part) VALUES (" + number(bucket) + ", " + number(of_users) + ", $1)"),
        part);
}

std::int64_t RunTables::join_items(const PackArguments& users, std::uint32_t buckets) const {
    const std::int64_t count =
        execute_with_bytes(catalog_,
                           sql("INSERT INTO {rows} (run, place, side, bucket, block) SELECT {run}, bucket * " +
                               std::to_string(places_) + " / " + number(buckets) +
                               ", 1, bucket, {mf}.mf_join_parts(NULL, users, part, $1) FROM {parts} GROUP BY"
                               " bucket"),
                           users.write());
    execute(catalog_, sql("TRUNCATE {parts}"));
    return count;
}

std::vector<std::uint32_t> RunTables::count_rows(std::int32_t side, std::uint32_t buckets) const {
    std::vector<std::uint32_t> counts(buckets);
    for (const BlockOfBucket& block : blocks(sql("SELECT bucket, pg_catalog.int4send({mf}.mf_row_count(block)) FROM"
                                                 " {rows} WHERE run = {run} AND side = " +
                                                 std::to_string(side)))) {
        std::uint32_t count;
        memcpy(&count, block.bytes.data(), sizeof count);
        if (block.bucket >= 0 && static_cast<std::uint32_t>(block.bucket) < buckets)
            counts[static_cast<std::uint32_t>(block.bucket)] = pg_ntoh32(count);
    }
    return counts;
}

// To be followed by what is selected for each of them; a join with one would keep Citus from sending rows as they come.
std::string RunTables::for_all_places() const {
    return last_place() == 0 ? "" : ", pg_catalog.generate_series(0, " + std::to_string(last_place()) + ") AS place";
}

void RunTables::number_users(const PackArguments& items) const {
    const std::string ids = number_of(PartKind::Ids);
    const std::string place = last_place() == 0 ? "0" : "place";
    execute(catalog_, sql("INSERT INTO {shared} (run, place, part, kind, version, bucket, block) SELECT {run}, " +
                          place + ", " + ids +
                          ", 0, 0, bucket, ids FROM (SELECT bucket, {mf}.mf_row_ids(block) AS ids FROM"
                          " {rows} WHERE run = {run} AND side = 1) AS items" +
                          for_all_places()));
    execute_with_bytes(catalog_,
                       sql("INSERT INTO {rows} (run, place, side, bucket, block) SELECT r.run, r.place, 0, r.bucket,"
                           " {mf}.mf_number_rows(r.block, s.bucket, s.block, $1) FROM {rows} AS r JOIN {shared} AS s"
                           " ON s.run = r.run AND s.place = r.place WHERE r.run = {run} AND r.side = " +
                           std::to_string(kRawUsers) + " AND s.part = " + ids + " GROUP BY r.run, r.place, r.bucket"),
                       items.write());
    execute(catalog_, sql("DELETE FROM {rows} WHERE run = {run} AND side = " + std::to_string(kRawUsers)));
    execute(catalog_, sql("DELETE FROM {shared} WHERE run = {run} AND part = " + ids));
}

void RunTables::share_again() const {
    const std::string last = std::to_string(last_place());
    if (last_place() == 0) return;
    execute(catalog_, sql("DELETE FROM {shared} WHERE run = {run} AND place < " + last));
    execute(catalog_,
            sql("INSERT INTO {shared} (run, place, part, kind, version, bucket, block) SELECT run, other, part,"
                " kind, version, bucket, block FROM (SELECT * FROM {shared} WHERE run = {run} AND place = " +
                last + ") AS s, pg_catalog.generate_series(0, " + last + " - 1) AS other"));
}

StepSums RunTables::run_step(const Step& step, std::uint32_t steps, Environment& environment) const {
    const std::string own = number_of(step.side), others = number_of(other(step.side)), kind = number_of(step.of);
    const std::string step_part = number_of(PartKind::Step), sums_part = number_of(PartKind::Sums);
    const std::string place = last_place() == 0 ? "0" : "place";
    execute_with_bytes(
        catalog_,
        sql("INSERT INTO {shared} (run, place, part, kind, version, bucket, block) SELECT {run}, place, " + step_part +
            ", 0, " + number(steps) + ", 0, $1 FROM pg_catalog.generate_series(0, " + std::to_string(last_place()) +
            ") AS place"),
        step.write());
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
                    std::to_string(last_place()) + " AND part = " + part + " AND kind = " + kind +
                    " AND version = " + version + " ORDER BY bucket"))) {
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
                kept += " OR (part = " + number_of(side) + " AND kind = " + number_of(kind) +
                        " AND version = " + number(version) + ")";
    execute(catalog_, sql("DELETE FROM {shared} WHERE run = {run} AND NOT (" + kept + ")"));
}

std::string RunTables::rows_of(std::int32_t side, std::uint32_t bucket) const {
    std::vector<BlockOfBucket> found =
        blocks(sql("SELECT bucket, block FROM {rows} WHERE run = {run} AND side = " + std::to_string(side) +
                   " AND bucket = " + number(bucket)));
    if (found.size() != 1) throw InvalidData("bucket " + number(bucket) + " of a training run has no rows");
    return std::move(found.front().bytes);
}

std::string RunTables::factors_of(FactorKind kind, RowSide side, std::uint32_t version, std::uint32_t bucket) const {
    std::vector<BlockOfBucket> found =
        blocks(sql("SELECT bucket, block FROM {shared} WHERE run = {run} AND place = " + std::to_string(last_place()) +
                   " AND part = " + number_of(side) + " AND kind = " + number_of(kind) +
                   " AND version = " + number(version) + " AND bucket = " + number(bucket)));
    if (found.size() != 1) throw InvalidData("bucket " + number(bucket) + " of a training run has no factors");
    return std::move(found.front().bytes);
}

bool RunTables::is_partitioned() const {
    const std::string rows = plain_name("rows");
    return pg_call([schema = catalog_.schema, rows = rows.c_str()] {
        return get_rel_relkind(get_relname_relid(rows, schema)) == RELKIND_PARTITIONED_TABLE;
    });
}

void RunTables::begin() const {
    if (!is_partitioned()) return;
    // Only then is a join and its groups sent to the server that has both.
    pg_call([] {
        for (const char* setting : {"enable_partitionwise_join", "enable_partitionwise_aggregate"})
            set_config_option(setting, "on", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
    });
}

void RunTables::drop() const {
    // What lies on other servers is in tables that stay.
    const bool is_foreign = is_partitioned();
    for (const char* table : {"rows", "shared"})
        if (is_foreign) execute(catalog_, sql("DELETE FROM {" + std::string(table) + "} WHERE run = {run}"));
    for (const char* table : kTables) execute(catalog_, "DROP TABLE IF EXISTS " + name(table));
}

}  // namespace mf::pg
