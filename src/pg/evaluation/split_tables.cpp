#include "pg/evaluation/split_tables.hpp"

#include <utility>

namespace mf::pg {
namespace {

/// The relation with its columns renamed to c1, c2, ... by position, so that they cannot clash with names in the
/// statement.
struct RenamedSource {
    std::string columns;  ///< c1, c2, ...
    std::string user;
    std::string item;
    std::string time;
};

struct Positions {
    int count;
    int user;
    int item;
    int time;
};

Positions positions_unsafe(Oid relation, const char* user, const char* item, const char* time) {
    Positions positions{};
    Relation rel = relation_open(relation, AccessShareLock);
    for (int i = 0; i < rel->rd_att->natts; ++i) {
        const FormData_pg_attribute* attribute = TupleDescAttr(rel->rd_att, i);
        if (attribute->attisdropped) continue;  // has no position in the list of names
        ++positions.count;
        const char* name = NameStr(attribute->attname);
        if (strcmp(name, user) == 0) positions.user = positions.count;
        if (strcmp(name, item) == 0) positions.item = positions.count;
        if (time != nullptr && strcmp(name, time) == 0) positions.time = positions.count;
    }
    relation_close(rel, AccessShareLock);
    return positions;
}

RenamedSource rename_columns(const Source& source) {
    const Oid relation = source.relation;
    const char* user = source.user.name.c_str();
    const char* item = source.item.name.c_str();
    const char* time = source.time ? source.time->name.c_str() : nullptr;
    const Positions positions =
        pg_call([relation, user, item, time] { return positions_unsafe(relation, user, item, time); });
    RenamedSource renamed;
    for (int i = 1; i <= positions.count; ++i) renamed.columns += (i > 1 ? ", c" : "c") + std::to_string(i);
    renamed.user = "c" + std::to_string(positions.user);
    renamed.item = "c" + std::to_string(positions.item);
    if (time != nullptr) renamed.time = "c" + std::to_string(positions.time);
    return renamed;
}

/// The id as models know it: compared by the value of an integer or by the bytes of the text.
std::string id_key(const SourceColumn& column, const std::string& name) {
    if (column.kind() == IdKind::Integer) return "(" + name + ")::pg_catalog.int8";
    return "((" + name + ")::pg_catalog.text COLLATE pg_catalog.\"C\")";
}

/// The number of `rows` that are held out, computed as in core/data/split.cpp.
std::string held_count(const std::string& rows) {
    return "least(pg_catalog.floor(($1 OPERATOR(pg_catalog.*) (" + rows +
           ")::pg_catalog.float8) OPERATOR(pg_catalog.+) 0.5::pg_catalog.float8), ((" + rows +
           ")::pg_catalog.float8 OPERATOR(pg_catalog.-) 1::pg_catalog.float8))";
}

/// Which rows can be held out, and the two ids that their hash is of. A user or an item that is held out as a whole is
/// drawn with an empty id in the other place, and whatever stands in the other column, so that all its rows go to one
/// side.
struct Draw {
    std::string condition;
    std::string hashed;
};

Draw draw_of(const SplitArguments& arguments, const RenamedSource& source) {
    const std::string user = "(" + source.user + ")::pg_catalog.text", item = "(" + source.item + ")::pg_catalog.text";
    const std::string nobody = "''::pg_catalog.text";
    if (arguments.method == SplitMethod::ColdItems) return {source.item + " IS NOT NULL", nobody + ", " + item};
    if (arguments.method == SplitMethod::ColdUsers) return {source.user + " IS NOT NULL", user + ", " + nobody};
    return {source.user + " IS NOT NULL AND " + source.item + " IS NOT NULL" +
                (source.time.empty() ? "" : " AND " + source.time + " IS NOT NULL"),
            user + ", " + item};
}

/// `SELECT columns, held FROM source`. Parameters: $1 fraction, $2 seed, $3 the hash below which a cell is held out.
/// draw is NULL for rows that cannot be held out; they form separate partitions in windows.
///
/// Peers get the rank of the last of them (where the default frame ends), so rows that are equal in all sort keys are
/// on the same side, and the result does not depend on the order of the rows.
std::string split_query(const SplitArguments& arguments, const RenamedSource& source) {
    const auto [condition, hashed] = draw_of(arguments, source);
    const std::string drawn = "SELECT " + source.columns + ", " + id_key(arguments.source.user, source.user) +
                              " AS u, " + id_key(arguments.source.item, source.item) + " AS i, CASE WHEN " + condition +
                              " THEN " + arguments.hash_function + "(" + hashed + ", $2) END AS draw FROM " +
                              arguments.source.name + " AS source (" + source.columns + ")";
    const auto select = [&](const std::string& held, const std::string& from) {
        return "SELECT " + source.columns + ", draw IS NOT NULL AND " + held + " AS held FROM (" + from + ") AS x";
    };
    const auto ranked = [&](const std::string& rank, const std::string& size) {
        return select("rank OPERATOR(pg_catalog.<=) " + held_count("size"), "SELECT " + source.columns + ", draw, " +
                                                                                rank + " AS rank, " + size +
                                                                                " AS size FROM (" + drawn + ") AS y");
    };
    // Rows with the same draw and id stay together and count as one: a user's rows of an item, all rows of an item.
    const auto ranked_once = [&](const std::string& partition, const std::string& id) {
        return select("rank OPERATOR(pg_catalog.<=) " + held_count("size"),
                      "SELECT " + source.columns + ", draw, rank, pg_catalog.max(rank) OVER (PARTITION BY " +
                          partition + ") AS size FROM (SELECT *, pg_catalog.dense_rank() OVER (PARTITION BY " +
                          partition + " ORDER BY draw, " + id + ") AS rank FROM (" + drawn + ") AS z) AS y");
    };
    const std::string count = "pg_catalog.count(*) OVER ";
    switch (arguments.method) {
        case SplitMethod::Random:
            return select("draw OPERATOR(pg_catalog.<) $3", drawn);
        case SplitMethod::ByUser:
            return ranked_once("u, draw IS NULL", "i");
        case SplitMethod::ColdItems:
            return ranked_once("draw IS NULL", "i");
        case SplitMethod::ColdUsers:
            return ranked_once("draw IS NULL", "u");
        case SplitMethod::Last:
            return ranked(count + "(PARTITION BY u, draw IS NULL ORDER BY " + source.time + " DESC, draw, i)",
                          count + "(PARTITION BY u, draw IS NULL)");
        case SplitMethod::Time:
            break;
    }
    return ranked(count + "(PARTITION BY draw IS NULL ORDER BY " + source.time + " DESC, draw, u, i)",
                  count + "(PARTITION BY draw IS NULL)");
}

/// The int8 below which a share `fraction` of all hashes lies, since hashes are uniform over all int8.
std::int64_t hash_limit(double fraction) {
    const double limit = std::floor((fraction - 0.5) * 0x1p64);
    return limit >= 0x1p63 ? INT64_MAX : static_cast<std::int64_t>(limit);
}

void execute_unsafe(const char* sql) {
    const int code = SPI_execute(sql, false, 0);
    if (code < 0) elog(ERROR, "statement failed: %s", SPI_result_code_string(code));
}

SplitSizes fill_unsafe(const char* sql, double fraction, std::int64_t seed, std::int64_t limit) {
    Oid types[3] = {FLOAT8OID, INT8OID, INT8OID};
    Datum values[3] = {Float8GetDatum(fraction), Int64GetDatum(seed), Int64GetDatum(limit)};
    const int code = SPI_execute_with_args(sql, 3, types, values, nullptr, false, 0);
    if (code != SPI_OK_SELECT || SPI_processed != 1) elog(ERROR, "statement failed: %s", SPI_result_code_string(code));
    bool null;
    const auto number = [&null](int column) {
        return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &null));
    };
    return {number(1), number(2)};
}

}  // namespace

SplitSizes create_split_tables(const SplitArguments& arguments) {
    const RenamedSource source = rename_columns(arguments.source);
    const auto create = [&](const std::string& table) {
        return "CREATE TABLE " + table + " AS SELECT * FROM " + arguments.source.name + " WITH NO DATA";
    };
    const auto insert = [&](const std::string& table, const char* condition) {
        return "(INSERT INTO " + table + " SELECT " + source.columns + " FROM split WHERE " + condition + ")";
    };
    const std::string create_train = create(arguments.train);
    const std::string create_test = create(arguments.test);
    const std::string fill = "WITH split AS MATERIALIZED (" + split_query(arguments, source) + "), to_train AS " +
                             insert(arguments.train, "NOT held") + ", to_test AS " + insert(arguments.test, "held") +
                             " SELECT pg_catalog.count(*) FILTER (WHERE NOT held), "
                             "pg_catalog.count(*) FILTER (WHERE held) FROM split";
    return pg_call([train = create_train.c_str(), test = create_test.c_str(), rows = fill.c_str(),
                    fraction = arguments.fraction, seed = arguments.seed, limit = hash_limit(arguments.fraction)] {
        if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "SPI_connect failed");
        execute_unsafe(train);
        execute_unsafe(test);
        const SplitSizes sizes = fill_unsafe(rows, fraction, seed, limit);
        SPI_finish();
        return sizes;
    });
}

}  // namespace mf::pg
