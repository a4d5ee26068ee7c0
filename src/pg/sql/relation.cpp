#include "pg/sql/relation.hpp"

#include "pg/sql/catalog.hpp"
#include "pg/sql/quoting.hpp"

extern "C" {
#include "access/attnum.h"
}

namespace mf::pg {
namespace {

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

/// The relation, or a column of it.
bool may_select_any_unsafe(Oid relation, Oid reader) {
    return pg_class_aclcheck(relation, reader, ACL_SELECT) == ACLCHECK_OK ||
           pg_attribute_aclcheck_all(relation, reader, ACL_SELECT, ACLMASK_ANY) == ACLCHECK_OK;
}

/// For a role that may read some columns; the hint names all that it lacks, so that one statement is enough. Columns
/// that do not exist have an error of their own.
void require_select_columns_unsafe(Oid relation, std::span<const char* const> names, Oid reader) {
    if (pg_class_aclcheck(relation, reader, ACL_SELECT) == ACLCHECK_OK) return;
    Bitmapset* denied = nullptr;
    for (const char* name : names) {
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

/// Names of columns as plain pointers.
struct NameList {
    const char** names;
    int count;
};

NameList column_names_unsafe(Oid relation) {
    Relation rel = relation_open(relation, AccessShareLock);
    NameList list{static_cast<const char**>(palloc0(sizeof(char*) * static_cast<Size>(rel->rd_att->natts + 1))), 0};
    for (int i = 0; i < rel->rd_att->natts; ++i) {
        const FormData_pg_attribute* attribute = TupleDescAttr(rel->rd_att, i);
        if (!attribute->attisdropped) list.names[list.count++] = pstrdup(NameStr(attribute->attname));
    }
    relation_close(rel, AccessShareLock);
    return list;
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
    if (facts.number <= 0) return facts;
    facts.type = get_atttype(relation, facts.number);
    facts.base = getBaseType(facts.type);
    facts.equality = lookup_type_cache(facts.base, TYPECACHE_EQ_OPR)->eq_opr;
    facts.text_varies = text_varies_unsafe(facts.base);
    facts.not_null = is_not_null_unsafe(relation, facts.number);
    facts.type_name = format_type_be(facts.type);
    facts.quoted = quote_identifier(name);
    return facts;
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

bool may_select_unsafe(Oid relation, Oid reader) {
    if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relation))) return true;
    return may_use_schema_unsafe(get_rel_namespace(relation), reader) && may_select_any_unsafe(relation, reader);
}

void require_select_unsafe(Oid relation, Oid reader) {
    if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relation))) return;  // describe_source() gives a better message
    const Oid schema = get_rel_namespace(relation);
    if (!may_use_schema_unsafe(schema, reader)) {
        const char* name = get_namespace_name(schema);
        raise_denied_unsafe("schema", name, "USAGE", psprintf("SCHEMA %s", quote_identifier(name)), reader);
    }
    if (!may_select_any_unsafe(relation, reader)) raise_relation_denied_unsafe(relation, "SELECT", reader);
}

bool relation_exists(Oid relation) {
    return pg_call([relation] { return get_rel_relkind(relation); }) != '\0';
}

NamedRelation open_relation(Oid relation, Oid reader, const std::string& what) {
    pg_call([relation, reader] { require_select_unsafe(relation, reader); });
    // Queries find the relation by its name: from here on it keeps it.
    const char kind = pg_call([relation] {
        LockRelationOid(relation, AccessShareLock);
        return get_rel_relkind(relation);
    });
    if (kind == '\0')
        throw SqlError(ERRCODE_UNDEFINED_TABLE, "relation with OID " + std::to_string(relation) + " does not exist", "",
                       "The " + what + " may have been dropped.");
    NamedRelation named{relation, qualified_name(relation)};
    if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE && kind != RELKIND_FOREIGN_TABLE &&
        kind != RELKIND_VIEW && kind != RELKIND_MATVIEW)
        throw SqlError(ERRCODE_WRONG_OBJECT_TYPE, named.name + " holds no rows to train on", "",
                       "The " + what + " is a table, partitioned table, foreign table, view or materialized view.");
    return named;
}

void require_select_columns(const NamedRelation& relation, std::span<const char* const> names, Oid reader) {
    pg_call([&] { require_select_columns_unsafe(relation.oid, names, reader); });
}

std::vector<std::string> column_names(Oid relation) {
    const NameList list = pg_call([relation] { return column_names_unsafe(relation); });
    return std::vector<std::string>(list.names, list.names + list.count);
}

ColumnFacts require_column(const NamedRelation& relation, const char* name, const std::string& hint) {
    const Oid oid = relation.oid;
    const ColumnFacts facts = pg_call([oid, name] { return column_facts_unsafe(oid, name); });
    if (facts.number > 0) return facts;
    std::string columns;
    for (const std::string& column : column_names(oid)) columns += (columns.empty() ? "" : ", ") + quoted_name(column);
    throw SqlError(ERRCODE_UNDEFINED_COLUMN,
                   std::string("column \"") + name + "\" of relation " + relation.name + " does not exist",
                   "Columns of " + relation.name + ": " + columns + ".", hint);
}

SourceColumn plain_column(const char* name, const ColumnFacts& facts) {
    SourceColumn column;
    column.name = name;
    column.type = facts.type;
    column.expression = facts.quoted;
    column.not_null = facts.not_null;
    return column;
}

SourceColumn id_column(const NamedRelation& relation, const char* name, const std::string& cannot,
                       const std::string& hint) {
    const ColumnFacts facts = require_column(relation, name, hint);
    const auto refuse = [&](const char* why, const char* remedy) {
        throw SqlError(ERRCODE_DATATYPE_MISMATCH,
                       std::string("column \"") + name + "\" of type " + facts.type_name + " cannot " + cannot, why,
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

std::optional<SourceColumn> number_column(const char* name, const ColumnFacts& facts) {
    SourceColumn column = plain_column(name, facts);
    if (facts.base == NUMERICOID) {
        column.form = ColumnForm::Float8;
        column.expression = "(" + column.expression + ")::pg_catalog.float8";
        return column;
    }
    const std::optional<ColumnForm> form = plain_form(facts.base);
    if (!form || *form == ColumnForm::Uuid || *form == ColumnForm::Text) return std::nullopt;
    column.form = *form;
    return column;
}

}  // namespace mf::pg
