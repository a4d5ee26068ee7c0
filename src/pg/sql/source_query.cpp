#include "pg/sql/source_query.hpp"

#include "pg/sql/quoting.hpp"

extern "C" {
#include "catalog/pg_operator.h"
}

namespace mf::pg {
namespace {

/// The equality operator of a column, qualified.
const char* equality_unsafe(Oid type) {
    const Oid operator_id = lookup_type_cache(getBaseType(type), TYPECACHE_EQ_OPR)->eq_opr;
    HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator_id));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for operator %u", operator_id);
    const auto* form = reinterpret_cast<const FormData_pg_operator*>(GETSTRUCT(tuple));
    const char* name =
        psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)), NameStr(form->oprname));
    ReleaseSysCache(tuple);
    return name;
}

/// Of a query, which they are added to.
class Conditions {
  public:
    explicit Conditions(std::string& query) : query_(query) {}

    void add(const std::string& condition) {
        query_ += (first_ ? " WHERE " : " AND ") + condition;
        first_ = false;
    }

    /// The value is a literal, not a parameter: where tenants differ in size each has plans of its own, and partitions
    /// and partial indexes are found by it. It takes the type of the column.
    void add_tenant(const Source& source) {
        if (source.tenant) add(equals(source.tenant->column) + quoted_literal(source.tenant->value));
    }

  private:
    std::string& query_;
    bool first_ = true;
};

/// `SELECT user, item, rating, time`.
std::string selected(const Source& source, bool with_user) {
    std::string query = "SELECT ";
    if (with_user) query += source.user.expression + ", ";
    query += source.item.expression;
    if (source.rating) query += ", " + source.rating->expression;
    if (source.time) query += ", " + source.time->expression;
    return query;
}

Oid base_type(const SourceColumn& column) {
    const Oid type = column.type;
    return pg_call([type] { return getBaseType(type); });
}

/// An id in the base type of a column.
Datum id_of_column_unsafe(const SourceColumn& column, const Id& id, const char* text) {
    const Oid type = getBaseType(column.type);
    switch (type) {
        case INT2OID:
            return Int16GetDatum(static_cast<std::int16_t>(id.integer));
        case INT4OID:
            return Int32GetDatum(static_cast<std::int32_t>(id.integer));
        case INT8OID:
            return Int64GetDatum(id.integer);
        case UUIDOID:
            return id_datum_unsafe(IdKind::Uuid, 0, id.bytes.data(), UUID_LEN);
        default: {
            Oid input;
            Oid parameter;
            getTypeInputInfo(type, &input, &parameter);
            return OidInputFunctionCall(input, const_cast<char*>(text), parameter, -1);
        }
    }
}

}  // namespace

std::string equals(const SourceColumn& column) {
    const Oid type = column.type;
    const char* operator_name =
        column.kind() == IdKind::Integer ? "OPERATOR(pg_catalog.=)" : pg_call([type] { return equality_unsafe(type); });
    return quoted_name(column.name) + " " + operator_name + " ";
}

std::string source_query(const Source& source, SourceRows rows) {
    std::string query = selected(source, rows != SourceRows::OfUser) + " FROM " + source.name;
    Conditions conditions(query);
    if (rows == SourceRows::OfUser) conditions.add(equals(source.user) + "$1");
    if (rows == SourceRows::OfUsers) conditions.add(equals(source.user) + "ANY ($1)");
    if (rows == SourceRows::OfItems) conditions.add(equals(source.item) + "ANY ($1)");
    conditions.add_tenant(source);
    return query;
}

std::string tenants_query(const Source& source) {
    const int place = 3 + (source.rating ? 1 : 0) + (source.time ? 1 : 0);
    return selected(source, true) + ", " + quoted_name(source.tenant->column.name) + " FROM " + source.name +
           " ORDER BY " + std::to_string(place);
}

std::string items_query(const Source& source) {
    std::string query = "SELECT " + source.item.expression + " FROM " + source.name;
    Conditions conditions(query);
    // Only where there can be NULLs: an index of the items alone can answer the rest.
    for (const SourceColumn* column : {&source.user, source.rating ? &*source.rating : nullptr})
        if (column != nullptr && !column->not_null) conditions.add(quoted_name(column->name) + " IS NOT NULL");
    conditions.add_tenant(source);
    return query;
}

Source ids_of(const Source& source) {
    Source ids = source;
    ids.rating.reset();
    ids.time.reset();
    return ids;
}

Oid parameter_type(const Source& source, SourceRows rows) {
    switch (rows) {
        case SourceRows::All:
            return InvalidOid;
        case SourceRows::OfUser:
            return id_type(source.user);
        case SourceRows::OfUsers:
        case SourceRows::OfItems:
            break;
    }
    return array_type(rows == SourceRows::OfUsers ? source.user : source.item);
}

Oid id_type(const SourceColumn& column) { return column.kind() == IdKind::Integer ? INT8OID : base_type(column); }

Oid array_type(const SourceColumn& column) {
    const Oid element = base_type(column);
    return pg_call([element] { return get_array_type(element); });
}

Datum id_parameter_unsafe(const SourceColumn& column, const Id& id) {
    if (id.kind == IdKind::Integer) return Int64GetDatum(id.integer);
    return id_of_column_unsafe(column, id, id.bytes.c_str());
}

Datum ids_parameter_unsafe(const SourceColumn& column, std::span<const Id> ids) {
    const int count = array_size_unsafe(ids.size());
    auto* elements = static_cast<Datum*>(MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * ids.size()));
    for (std::size_t i = 0; i < ids.size(); ++i) {
        CHECK_FOR_INTERRUPTS();
        elements[i] = id_of_column_unsafe(column, ids[i], ids[i].bytes.c_str());
    }
    const Oid type = getBaseType(column.type);
    std::int16_t length;
    bool by_value;
    char alignment;
    get_typlenbyvalalign(type, &length, &by_value, &alignment);
    return PointerGetDatum(construct_array(elements, count, type, length, by_value, alignment));
}

}  // namespace mf::pg
