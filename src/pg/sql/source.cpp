#include "pg/sql/source.hpp"

#include "pg/sql/catalog.hpp"
#include "pg/sql/quoting.hpp"

extern "C" {
#include "access/attnum.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_inherits.h"
#include "nodes/pg_list.h"
}

namespace mf::pg {
namespace {

/// Facts about one column, plain so that they can cross pg_call.
struct ColumnFacts {
    AttrNumber number;
    Oid type;
    Oid base;
    Oid equality;
    bool text_varies;  // with settings of the session
    bool not_null;
    const char* type_name;
    const char* quoted;
    const char* all_columns;
};

const char* kind_name(char kind) {
    switch (kind) {
        case RELKIND_VIEW:
            return "view";
        case RELKIND_MATVIEW:
            return "materialized view";
        case RELKIND_FOREIGN_TABLE:
            return "foreign table";
        case RELKIND_SEQUENCE:
            return "sequence";
        default:
            return "table";
    }
}

/// Names the role that lacks the right, which may be another one than the caller, and the statement that gives it.
[[noreturn]] void raise_denied_unsafe(const char* kind, const char* name, const char* right, const char* on,
                                      Oid reader) {
    const char* role = GetUserNameFromId(reader, true);
    if (role == nullptr) role = "?";
    const bool is_caller = reader == GetUserId();
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for %s %s", kind, name),
                    is_caller ? errdetail("Role \"%s\" reads it.", role)
                              : errdetail("It is read with the rights of role \"%s\", which owns the model.", role),
                    errhint("GRANT %s ON %s TO %s;", right, on, quote_identifier(role))));
    pg_unreachable();
}

[[noreturn]] void raise_relation_denied_unsafe(Oid relation, const char* right, Oid reader) {
    raise_denied_unsafe(kind_name(get_rel_relkind(relation)), get_rel_name(relation), right,
                        qualified_name_unsafe(relation), reader);
}

/// For a role that may read some columns; the hint names all that it lacks, so that one statement is enough. Columns
/// that do not exist have an error of their own.
void require_select_columns_unsafe(Oid relation, const SourceColumnNames& names, Oid reader) {
    if (pg_class_aclcheck(relation, reader, ACL_SELECT) == ACLCHECK_OK) return;
    Bitmapset* denied = nullptr;
    for (const char* name : {names.user, names.item, names.rating, names.time}) {
        const AttrNumber column = name != nullptr ? get_attnum(relation, name) : InvalidAttrNumber;
        if (column > 0 && pg_attribute_aclcheck(relation, column, reader, ACL_SELECT) != ACLCHECK_OK)
            denied = bms_add_member(denied, column);
    }
    if (denied == nullptr) return;
    StringInfoData right;
    initStringInfo(&right);
    for (int column = bms_next_member(denied, -1); column > 0; column = bms_next_member(denied, column)) {
        const char* name = get_attname(relation, static_cast<AttrNumber>(column), false);
        appendStringInfo(&right, "%s%s", right.len > 0 ? ", " : "SELECT (", quote_identifier(name));
    }
    appendStringInfoChar(&right, ')');
    raise_relation_denied_unsafe(relation, right.data, reader);
}

const char* list_columns_unsafe(Oid relation) {
    Relation rel = relation_open(relation, AccessShareLock);
    StringInfoData names;
    initStringInfo(&names);
    for (int i = 0; i < rel->rd_att->natts; ++i) {
        const FormData_pg_attribute* attribute = TupleDescAttr(rel->rd_att, i);
        if (attribute->attisdropped) continue;
        appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", quote_identifier(NameStr(attribute->attname)));
    }
    relation_close(rel, AccessShareLock);
    return names.data;
}

/// True if values of the type print differently under DateStyle, IntervalStyle, TimeZone, extra_float_digits,
/// bytea_output or lc_monetary: their text cannot identify anything from one session to the next.
bool text_varies_unsafe(Oid type) {
    const Oid element = get_element_type(type);
    if (OidIsValid(element)) return text_varies_unsafe(getBaseType(element));
    if (type == FLOAT4OID || type == FLOAT8OID || type == BYTEAOID || type == MONEYOID) return true;
    char category;
    bool preferred;
    get_type_category_preferred(type, &category, &preferred);
    // What ranges and composites contain may vary; they are rare enough as ids to refuse them all.
    return category == TYPCATEGORY_DATETIME || category == TYPCATEGORY_TIMESPAN || category == TYPCATEGORY_RANGE ||
           category == TYPCATEGORY_COMPOSITE;
}

bool is_not_null_unsafe(Oid relation, AttrNumber column) {
    HeapTuple tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relation), Int16GetDatum(column));
    if (!HeapTupleIsValid(tuple)) return false;
    const bool not_null = reinterpret_cast<Form_pg_attribute>(GETSTRUCT(tuple))->attnotnull;
    ReleaseSysCache(tuple);
    return not_null;
}

ColumnFacts column_facts_unsafe(Oid relation, const char* name) {
    ColumnFacts facts{};
    facts.number = get_attnum(relation, name);
    if (facts.number <= 0) {
        facts.all_columns = list_columns_unsafe(relation);
        return facts;
    }
    facts.type = get_atttype(relation, facts.number);
    facts.base = getBaseType(facts.type);
    facts.equality = lookup_type_cache(facts.base, TYPECACHE_EQ_OPR)->eq_opr;
    facts.text_varies = text_varies_unsafe(facts.base);
    facts.not_null = is_not_null_unsafe(relation, facts.number);
    facts.type_name = format_type_be(facts.type);
    facts.quoted = quote_identifier(name);
    return facts;
}

ColumnFacts require_column(const Source& source, const char* name, const char* role) {
    const Oid relation = source.relation;
    const ColumnFacts facts = pg_call([relation, name] { return column_facts_unsafe(relation, name); });
    if (facts.number <= 0)
        throw SqlError(ERRCODE_UNDEFINED_COLUMN,
                       std::string("column \"") + name + "\" of relation " + source.name + " does not exist",
                       std::string("Columns of ") + source.name + ": " + facts.all_columns + ".",
                       std::string("Name the column with ") + role + "_column => '...'.");
    return facts;
}

SourceColumn plain_column(const char* name, const ColumnFacts& facts) {
    SourceColumn column;
    column.name = name;
    column.type = facts.type;
    column.expression = facts.quoted;
    column.not_null = facts.not_null;
    return column;
}

SourceColumn id_column(const Source& source, const char* name, const char* role) {
    const ColumnFacts facts = require_column(source, name, role);
    const auto refuse = [&](const char* why, const char* remedy) {
        throw SqlError(
            ERRCODE_DATATYPE_MISMATCH,
            std::string("column \"") + name + "\" of type " + facts.type_name + " cannot identify " + role + "s", why,
            std::string("Use a column of an integer type, uuid or text, or ") + remedy + " in a view.");
    };
    if (!OidIsValid(facts.equality)) refuse("The type has no equality operator.", "cast it");
    if (facts.text_varies)
        refuse("The text form of its values may depend on settings of the session.", "make it text of one form");
    SourceColumn column = plain_column(name, facts);
    const std::optional<ColumnForm> form = plain_form(facts.base);
    column.form = form.value_or(ColumnForm::Text);
    // What has a form only as a number, such as boolean, is identified by its text.
    if (!form || *form == ColumnForm::Bool) {
        column.form = ColumnForm::Text;
        column.expression = "(" + column.expression + ")::pg_catalog.text";
    }
    return column;
}

SourceColumn rating_column(const Source& source, const char* name) {
    const ColumnFacts facts = require_column(source, name, "rating");
    SourceColumn column = plain_column(name, facts);
    if (facts.base == NUMERICOID) {
        column.form = ColumnForm::Float8;
        column.expression = "(" + column.expression + ")::pg_catalog.float8";
        return column;
    }
    const std::optional<ColumnForm> form = plain_form(facts.base);
    if (!form || *form == ColumnForm::Uuid || *form == ColumnForm::Text)
        throw SqlError(ERRCODE_DATATYPE_MISMATCH,
                       std::string("column \"") + name + "\" of type " + facts.type_name + " cannot be a rating",
                       "Ratings are numeric, integer, real, double precision or boolean.",
                       "Name another column with rating_column => '...', cast it in a view, or pass "
                       "rating_column => NULL with feedback => 'implicit' if every row counts alike.");
    column.form = *form;
    return column;
}

SourceColumn time_column(const Source& source, const char* name) {
    const ColumnFacts facts = require_column(source, name, "time");
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

std::optional<ColumnForm> plain_form(Oid base_type) {
    switch (base_type) {
        case INT2OID:
            return ColumnForm::Int2;
        case INT4OID:
            return ColumnForm::Int4;
        case INT8OID:
            return ColumnForm::Int8;
        case FLOAT4OID:
            return ColumnForm::Float4;
        case FLOAT8OID:
            return ColumnForm::Float8;
        case BOOLOID:
            return ColumnForm::Bool;
        case UUIDOID:
            return ColumnForm::Uuid;
        case TEXTOID:
        case VARCHAROID:
            return ColumnForm::Text;
        default:
            return std::nullopt;
    }
}

void require_select_unsafe(Oid relation, Oid reader) {
    if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relation))) return;  // describe_source() gives a better message
    const Oid schema = get_rel_namespace(relation);
    if (!may_use_schema_unsafe(schema, reader)) {
        const char* name = get_namespace_name(schema);
        raise_denied_unsafe("schema", name, "USAGE", psprintf("SCHEMA %s", quote_identifier(name)), reader);
    }
    if (pg_class_aclcheck(relation, reader, ACL_SELECT) != ACLCHECK_OK &&
        pg_attribute_aclcheck_all(relation, reader, ACL_SELECT, ACLMASK_ANY) != ACLCHECK_OK)
        raise_relation_denied_unsafe(relation, "SELECT", reader);
}

bool relation_exists(Oid relation) {
    return pg_call([relation] { return get_rel_relkind(relation); }) != '\0';
}

Source describe_source(Oid relation, const SourceColumnNames& names, Oid reader) {
    if (!OidIsValid(reader)) reader = GetUserId();
    pg_call([relation, reader] { require_select_unsafe(relation, reader); });
    // Queries find the relation by its name: from here on it keeps it.
    const char kind = pg_call([relation] {
        LockRelationOid(relation, AccessShareLock);
        return get_rel_relkind(relation);
    });
    if (kind == '\0')
        throw SqlError(ERRCODE_UNDEFINED_TABLE, "relation with OID " + std::to_string(relation) + " does not exist", "",
                       "The source may have been dropped.");
    Source source;
    source.relation = relation;
    source.reader = reader;
    source.name = qualified_name(relation);
    if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE && kind != RELKIND_FOREIGN_TABLE &&
        kind != RELKIND_VIEW && kind != RELKIND_MATVIEW)
        throw SqlError(ERRCODE_WRONG_OBJECT_TYPE, source.name + " holds no rows to train on", "",
                       "The source is a table, partitioned table, foreign table, view or materialized view.");
    pg_call([relation, reader, &names] { require_select_columns_unsafe(relation, names, reader); });
    source.user = id_column(source, names.user, "user");
    source.item = id_column(source, names.item, "item");
    if (names.rating != nullptr) source.rating = rating_column(source, names.rating);
    if (names.time != nullptr) source.time = time_column(source, names.time);
    return source;
}

bool has_user_index(const Source& source) {
    const Oid relation = source.relation;
    const char* column = source.user.name.c_str();
    return pg_call([relation, column] { return has_user_index_unsafe(relation, column); });
}

}  // namespace mf::pg
