#include "pg/distributed/run_rows.hpp"

#include "core/base/error.hpp"
#include "pg/distributed/block_data.hpp"
#include "pg/models/model_locks.hpp"

namespace mf::pg {

namespace {

Parameter bytea_parameter_unsafe(std::string_view bytes) { return {BYTEAOID, bytea_unsafe(bytes), false}; }

std::string_view bytes_of(const std::vector<std::uint32_t>& counts) {
    return {reinterpret_cast<const char*>(counts.data()), counts.size() * sizeof(std::uint32_t)};
}

std::vector<std::uint32_t> counts_of(std::string_view bytes) {
    std::vector<std::uint32_t> counts(bytes.size() / sizeof(std::uint32_t));
    memcpy(counts.data(), bytes.data(), counts.size() * sizeof(std::uint32_t));
    return counts;
}

/// One row, plain, in the memory context of the call.
struct PlainRow {
    bool found = false;
    std::int64_t run, entries, held_out;
    std::int32_t places;
    const char *arguments, *text;
    Oid owner;
    std::string_view users, items, state;
};

PlainRow read_row_unsafe(const Catalog& catalog, const char* sql, const char* model) {
    PlainRow row;
    const Parameter parameter = text_parameter_unsafe(model);
    execute_unsafe(relation_owner_unsafe(catalog.models), {sql, 1, &parameter},
                   [&row](std::uint64_t rows, const SPITupleTable* table) {
                       if (rows == 0) return;
                       const auto get = [table](int column) {
                           bool null;
                           const Datum value = SPI_getbinval(table->vals[0], table->tupdesc, column, &null);
                           return null ? Datum{0} : value;
                       };
                       const auto bytes = [&get](int column) {
                           const std::string_view there = bytes_unsafe(get(column));
                           char* copy = static_cast<char*>(palloc(there.size() + 1));
                           memcpy(copy, there.data(), there.size());
                           return std::string_view(copy, there.size());
                       };
                       const auto word = [&get](int column) -> const char* {
                           return get(column) == 0 ? "" : TextDatumGetCString(get(column));
                       };
                       row.found = true;
                       row.run = DatumGetInt64(get(1));
                       row.arguments = word(2);
                       row.places = DatumGetInt32(get(3));
                       row.users = bytes(4);
                       row.items = bytes(5);
                       row.entries = DatumGetInt64(get(6));
                       row.held_out = DatumGetInt64(get(7));
                       row.text = word(8);
                       row.state = bytes(9);
                       row.owner = DatumGetObjectId(get(10));
                   });
    return row;
}

PlainRow read_row(const Catalog& catalog, const std::string& model) {
    const std::string sql =
        with_table_names(catalog,
                         "SELECT run, arguments, places, user_counts, item_counts, entries, held_out, found,"
                         " state, owner FROM {runs} WHERE model = $1");
    return pg_call([&catalog, &model, sql = sql.c_str()] { return read_row_unsafe(catalog, sql, model.c_str()); });
}

RunRow run_of(const std::string& model, const PlainRow& plain) {
    return {plain.run,
            model,
            plain.owner,
            plain.arguments,
            plain.places,
            {counts_of(plain.users), counts_of(plain.items), static_cast<std::uint64_t>(plain.entries),
             static_cast<std::uint64_t>(plain.held_out)},
            plain.text,
            std::string(plain.state)};
}

}  // namespace

std::int64_t new_run_number() {
    return pg_call([] {
        std::uint64_t bits;
        if (!pg_strong_random(&bits, sizeof bits)) elog(ERROR, "could not generate a random number");
        return static_cast<std::int64_t>(bits >> 2);
    });
}

std::optional<RunRow> find_run(const Catalog& catalog, const std::string& model) {
    const PlainRow plain = read_row(catalog, model);
    return plain.found ? std::optional(run_of(model, plain)) : std::nullopt;
}

void add_run(const Catalog& catalog, const RunRow& row) {
    const std::string sql = with_table_names(
        catalog,
        "INSERT INTO {runs} (run, model, owner, arguments, places, user_counts, item_counts, entries, held_out,"
        " found, state, started_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, clock_timestamp())");
    pg_call([&catalog, &row, sql = sql.c_str()] {
        const Parameter values[] = {int8_parameter(row.run),
                                    text_parameter_unsafe(row.model.c_str()),
                                    role_parameter(GetUserId()),
                                    text_parameter_unsafe(row.arguments.c_str()),
                                    int4_parameter(row.places),
                                    bytea_parameter_unsafe(bytes_of(row.data.user_counts)),
                                    bytea_parameter_unsafe(bytes_of(row.data.item_counts)),
                                    int8_parameter(static_cast<std::int64_t>(row.data.entries)),
                                    int8_parameter(static_cast<std::int64_t>(row.data.held_out)),
                                    text_parameter_unsafe(row.found.empty() ? nullptr : row.found.c_str()),
                                    bytea_parameter_unsafe(row.state)};
        run_statement_unsafe(catalog, sql, lengthof(values), values);
    });
}

void save_run(const Catalog& catalog, std::int64_t run, const std::string& state) {
    const std::string sql = with_table_names(catalog, "UPDATE {runs} SET state = $2 WHERE run = $1");
    pg_call([&catalog, run, &state, sql = sql.c_str()] {
        const Parameter values[] = {int8_parameter(run), bytea_parameter_unsafe(state)};
        run_statement_unsafe(catalog, sql, lengthof(values), values);
    });
}

void drop_run(const Catalog& catalog, const RunRow& row) {
    RunTables(catalog, row.run, row.places).drop();
    const std::string sql = with_table_names(catalog, "DELETE FROM {runs} WHERE run = $1");
    pg_call([&catalog, run = row.run, sql = sql.c_str()] {
        const Parameter number = int8_parameter(run);
        run_statement_unsafe(catalog, sql, 1, &number);
    });
}

void require_privileges(const RunRow& row) {
    if (pg_call([owner = row.owner] { return has_privs_of_role(GetUserId(), owner); })) return;
    throw SqlError(ERRCODE_INSUFFICIENT_PRIVILEGE, "permission denied for model \"" + row.model + "\"",
                   "A training run of another role is not done.", "Ask that role, or a member of it.");
}

bool drop_run_of(const Catalog& catalog, const std::string& model) {
    std::optional<RunRow> row = find_run(catalog, model);
    if (!row) return false;
    require_privileges(*row);
    lock_model(catalog, model, ModelLock::Training);
    row = find_run(catalog, model);  // it may be done by now
    if (!row) return false;
    drop_run(catalog, *row);
    return true;
}

}  // namespace mf::pg
