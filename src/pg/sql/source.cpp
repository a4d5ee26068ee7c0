#include "pg/sql/source.hpp"

#include <array>

extern "C" {
#include "catalog/pg_inherits.h"
#include "nodes/pg_list.h"
}

namespace mf::pg {
namespace {

/// How an error tells to name another column of a source.
std::string name_it(const char* role) { return std::string("Name the column with ") + role + "_column => '...'."; }

SourceColumn id_of(const NamedRelation& relation, const char* name, const char* role) {
    return id_column(relation, name, std::string("identify ") + role + "s", name_it(role));
}

SourceColumn rating_column(const NamedRelation& relation, const char* name) {
    const ColumnFacts facts = require_column(relation, name, name_it("rating"));
    if (std::optional<SourceColumn> column = number_column(name, facts)) return std::move(*column);
    throw SqlError(ERRCODE_DATATYPE_MISMATCH,
                   std::string("column \"") + name + "\" of type " + facts.type_name + " cannot be a rating",
                   "Ratings are numeric, integer, real, double precision or boolean.",
                   "Name another column with rating_column => '...', cast it in a view, or pass "
                   "rating_column => NULL with feedback => 'implicit' if every row counts alike.");
}

SourceColumn time_column(const NamedRelation& relation, const char* name) {
    const ColumnFacts facts = require_column(relation, name, name_it("time"));
    SourceColumn column = plain_column(name, facts);
    column.form = ColumnForm::Float8;
    switch (facts.base) {
        case DATEOID:
        case TIMESTAMPOID:
        case TIMESTAMPTZOID:
            column.expression = std::string("pg_catalog.date_part('epoch', ") + facts.quoted + ")";
            break;
        case INT2OID:
        case INT4OID:
        case INT8OID:
        case FLOAT4OID:
        case FLOAT8OID:
        case NUMERICOID:
            column.expression = std::string("(") + facts.quoted + ")::pg_catalog.float8";
            column.is_number = true;
            break;
        default:
            throw SqlError(ERRCODE_DATATYPE_MISMATCH,
                           std::string("column \"") + name + "\" of type " + facts.type_name + " cannot be a time", "",
                           "Use a column of type timestamp with or without time zone, date, or a number.");
    }
    return column;
}

bool leads_with_unsafe(Oid relation, AttrNumber column) {
    Relation rel = relation_open(relation, AccessShareLock);
    bool found = false;
    List* indexes = RelationGetIndexList(rel);
    for (int i = 0; i < list_length(indexes) && !found; ++i) {
        HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(list_nth_oid(indexes, i)));
        if (!HeapTupleIsValid(tuple)) continue;
        const auto* index = reinterpret_cast<const FormData_pg_index*>(GETSTRUCT(tuple));
        found = index->indisvalid && index->indkey.values[0] == column &&
                heap_attisnull(tuple, Anum_pg_index_indpred, nullptr);
        ReleaseSysCache(tuple);
    }
    relation_close(rel, AccessShareLock);
    return found;
}

bool has_user_index_unsafe(Oid relation, const char* user_column) {
    const char kind = get_rel_relkind(relation);
    if (kind != RELKIND_RELATION && kind != RELKIND_MATVIEW && kind != RELKIND_PARTITIONED_TABLE) return true;
    const List* leaves = kind == RELKIND_PARTITIONED_TABLE ? find_all_inheritors(relation, AccessShareLock, nullptr)
                                                           : list_make1_oid(relation);
    for (int i = 0; i < list_length(leaves); ++i) {
        const Oid leaf = list_nth_oid(leaves, i);
        const char leaf_kind = get_rel_relkind(leaf);
        if (leaf_kind != RELKIND_RELATION && leaf_kind != RELKIND_MATVIEW) continue;
        // Column numbers may differ between partitions.
        if (!leads_with_unsafe(leaf, get_attnum(leaf, user_column))) return false;
    }
    return true;
}

}  // namespace

Source describe_source(Oid relation, const SourceColumnNames& names, Oid reader) {
    if (!OidIsValid(reader)) reader = GetUserId();
    const NamedRelation named = open_relation(relation, reader, "source");
    Source source;
    source.relation = relation;
    source.reader = reader;
    source.name = named.name;
    require_select_columns(named, std::array{names.user, names.item, names.rating, names.time}, reader);
    source.user = id_of(named, names.user, "user");
    source.item = id_of(named, names.item, "item");
    if (names.rating != nullptr) source.rating = rating_column(named, names.rating);
    if (names.time != nullptr) source.time = time_column(named, names.time);
    return source;
}

bool has_user_index(const Source& source) {
    const Oid relation = source.relation;
    const char* column = source.user.name.c_str();
    return pg_call([relation, column] { return has_user_index_unsafe(relation, column); });
}

}  // namespace mf::pg
