#include "pg/sql/source.hpp"

#include <array>

#include "pg/sql/quoting.hpp"

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

/// The column whose values are tenants. Its values stand in queries as literals, which input functions read while the
/// queries are analysed, with the rights of the reader: those of arrays and composite types may run checks of domains.
SourceColumn tenant_column(const NamedRelation& relation, const char* name) {
    SourceColumn column = id_column(relation, name, "name tenants", "Name the column with by => '...'.");
    const Oid base = pg_call([type = column.type] { return getBaseType(type); });
    const bool is_array = OidIsValid(pg_call([base] { return get_element_type(base); }));
    const bool has_order = OidIsValid(pg_call([base] { return lookup_type_cache(base, TYPECACHE_LT_OPR)->lt_opr; }));
    if (!has_order || is_array)
        throw SqlError(ERRCODE_DATATYPE_MISMATCH,
                       "column \"" + column.name + "\" of type " + type_name(column.type) + " cannot name tenants",
                       is_array ? "The type is an array." : "The type has no order.",
                       "Use a column of an integer type, uuid or text, or cast it in a view.");
    return column;
}

/// True if an index that is valid and not partial begins with the first column, or with the second one and then the
/// first one, if there is a second one.
bool leads_with_unsafe(Oid relation, AttrNumber column, AttrNumber after) {
    Relation rel = relation_open(relation, AccessShareLock);
    bool found = false;
    List* indexes = RelationGetIndexList(rel);
    for (int i = 0; i < list_length(indexes) && !found; ++i) {
        HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(list_nth_oid(indexes, i)));
        if (!HeapTupleIsValid(tuple)) continue;
        const auto* index = reinterpret_cast<const FormData_pg_index*>(GETSTRUCT(tuple));
        const std::int16_t* keys = index->indkey.values;
        const bool leads = keys[0] == column || (after != InvalidAttrNumber && index->indnkeyatts > 1 &&
                                                 keys[0] == after && keys[1] == column);
        found = leads && index->indisvalid && heap_attisnull(tuple, Anum_pg_index_indpred, nullptr);
        ReleaseSysCache(tuple);
    }
    relation_close(rel, AccessShareLock);
    return found;
}

bool has_user_index_unsafe(Oid relation, const char* user_column, const char* tenant_column) {
    const char kind = get_rel_relkind(relation);
    if (kind != RELKIND_RELATION && kind != RELKIND_MATVIEW && kind != RELKIND_PARTITIONED_TABLE) return true;
    const List* leaves = kind == RELKIND_PARTITIONED_TABLE ? find_all_inheritors(relation, AccessShareLock, nullptr)
                                                           : list_make1_oid(relation);
    for (int i = 0; i < list_length(leaves); ++i) {
        const Oid leaf = list_nth_oid(leaves, i);
        const char leaf_kind = get_rel_relkind(leaf);
        if (leaf_kind != RELKIND_RELATION && leaf_kind != RELKIND_MATVIEW) continue;
        // Column numbers may differ between partitions.
        const AttrNumber tenant = tenant_column != nullptr ? get_attnum(leaf, tenant_column) : InvalidAttrNumber;
        if (!leads_with_unsafe(leaf, get_attnum(leaf, user_column), tenant)) return false;
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
    require_select_columns(named, std::array{names.user, names.item, names.rating, names.time, names.tenant_column},
                           reader);
    source.user = id_of(named, names.user, "user");
    source.item = id_of(named, names.item, "item");
    if (names.rating != nullptr) source.rating = rating_column(named, names.rating);
    if (names.time != nullptr) source.time = time_column(named, names.time);
    if (names.tenant_column != nullptr)
        source.tenant = Tenant{tenant_column(named, names.tenant_column), names.tenant != nullptr ? names.tenant : ""};
    return source;
}

std::string source_label(const std::string& relation, const char* tenant_column, const char* tenant) {
    if (tenant_column == nullptr || tenant == nullptr) return relation;
    return relation + " where " + quoted_name(tenant_column) + " is " + quoted_literal(tenant);
}

bool has_user_index(const Source& source) {
    const Oid relation = source.relation;
    const char* column = source.user.name.c_str();
    const char* tenant = source.tenant ? source.tenant->column.name.c_str() : nullptr;
    return pg_call([relation, column, tenant] { return has_user_index_unsafe(relation, column, tenant); });
}

}  // namespace mf::pg
