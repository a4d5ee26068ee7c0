#include "pg/features/feature_rows.hpp"

#include "pg/features/feature_collector.hpp"
#include "pg/sql/checked_query.hpp"
#include "pg/sql/column_values.hpp"
#include "pg/sql/source_query.hpp"

namespace mf::pg {
namespace {

/// The executor calls through `pub`; the rest is ours. Lives on the stack of the scan.
struct Receiver {
    DestReceiver pub;
    const FeatureRelation* relation;
    FeatureCollector* collector;
    ExceptionHolder* exception;
    MemoryContext row;  ///< what the decoding of one row takes; reset after it

    /// Runs f, which calls nothing of PostgreSQL; false if it threw, and then the query is to end.
    template <class F>
    bool run(F&& f) const {
        return exception->run(f);
    }
    bool add(const RawFeature& feature) const {
        return run([&] { collector->add(feature); });
    }
};

bool decodes(const FeatureColumn& column, Oid type) {
    switch (column.form) {
        case FeatureForm::TextArray:
            return type == TEXTARRAYOID;
        case FeatureForm::Json:
            return type == JSONBOID;
        default:
            return plain_form(type) == column.column.form;
    }
}

/// The lock on the relation keeps the types as they were described; what is decoded is checked nevertheless.
void startup(DestReceiver* self, int, TupleDesc descriptor) {
    auto* receiver = reinterpret_cast<Receiver*>(self);
    const FeatureRelation& relation = *receiver->relation;
    const auto type = [descriptor](std::size_t column) {
        return getBaseType(TupleDescAttr(descriptor, static_cast<int>(column))->atttypid);
    };
    std::size_t column = 0;
    bool fits = plain_form(type(column++)) == relation.id.form;
    for (const FeatureColumn& feature : relation.columns) fits = fits && decodes(feature, type(column++));
    if (relation.weight) fits = fits && plain_form(type(column++)) == relation.weight->form;
    if (!fits)
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("columns of %s have changed while it was read", relation.name.c_str()),
                        errhint("Repeat the call.")));
    receiver->row = AllocSetContextCreate(CurrentMemoryContext, "mf_ext row of features", ALLOCSET_DEFAULT_SIZES);
}

std::string_view text_unsafe(Datum datum) {
    const text* value = DatumGetTextPP(datum);
    return {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

bool add_array_unsafe(const Receiver& receiver, std::size_t column, Datum datum) {
    ArrayIterator iterator = array_create_iterator(DatumGetArrayTypeP(datum), 0, nullptr);
    Datum element;
    bool is_null;
    while (array_iterate(iterator, &element, &is_null)) {
        CHECK_FOR_INTERRUPTS();
        if (!is_null && !receiver.add({column, text_unsafe(element)})) return false;
    }
    return true;
}

/// The text of a scalar; nothing for null.
std::string_view json_text_unsafe(const JsonbValue& value) {
    switch (value.type) {
        case jbvString:
            return {value.val.string.val, static_cast<std::size_t>(value.val.string.len)};
        case jbvNumeric:
            return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value.val.numeric)));
        case jbvBool:
            return value.val.boolean ? "true" : "false";
        default:
            return {};
    }
}

bool refuse_json_unsafe(const Receiver& receiver, std::size_t column, bool is_element, JsonbContainer* container) {
    std::string_view key;
    if (JsonContainerIsObject(container) && JsonContainerSize(container) > 0) {
        JsonbIterator* iterator = JsonbIteratorInit(container);
        JsonbValue value;
        JsonbIteratorNext(&iterator, &value, true);
        JsonbIteratorNext(&iterator, &value, true);
        key = json_text_unsafe(value);
    }
    return receiver.run(
        [&] { receiver.collector->refuse_json(column, is_element, JsonContainerIsObject(container), key); });
}

bool add_json_unsafe(const Receiver& receiver, std::size_t column, Datum datum) {
    JsonbContainer* container = &DatumGetJsonbP(datum)->root;
    if (JsonContainerIsObject(container)) return refuse_json_unsafe(receiver, column, false, container);
    // A scalar is stored as an array of one.
    JsonbIterator* iterator = JsonbIteratorInit(container);
    JsonbValue value;
    JsonbIteratorToken token;
    while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE) {
        CHECK_FOR_INTERRUPTS();
        if (token != WJB_ELEM) continue;
        const bool go_on = value.type == jbvBinary ? refuse_json_unsafe(receiver, column, true, value.val.binary.data)
                                                   : receiver.add({column, json_text_unsafe(value)});
        if (!go_on) return false;
    }
    return true;
}

bool add_column_unsafe(const Receiver& receiver, std::size_t column, Datum datum) {
    const FeatureColumn& feature = receiver.relation->columns[column];
    switch (feature.form) {
        case FeatureForm::TextArray:
            return add_array_unsafe(receiver, column, datum);
        case FeatureForm::Json:
            return add_json_unsafe(receiver, column, datum);
        case FeatureForm::Bool:
            return !DatumGetBool(datum) || receiver.add({column});
        case FeatureForm::Number:
            return receiver.add({column, {}, decode_number(datum, feature.column.form)});
        default:
            return receiver.add({column, text_unsafe(datum)});
    }
}

/// Decodes a row and hands over one feature after the other. No frame here has a destructor: PostgreSQL's functions may
/// longjmp through them. The collector calls nothing of PostgreSQL, and its exceptions stay in the holder.
bool add_row_unsafe(const Receiver& receiver, const TupleTableSlot& slot) {
    const FeatureRelation& relation = *receiver.relation;
    std::int64_t integer = 0;
    std::string_view bytes;
    Copies copies;
    if (relation.id.kind() == IdKind::Integer)
        integer = decode_integer(slot.tts_values[0], relation.id.form);
    else
        bytes = id_bytes_unsafe(slot.tts_values[0], relation.id.form, &copies);
    bool wanted = false;
    if (!receiver.run([&] { wanted = receiver.collector->begin_row(integer, bytes); })) return false;
    if (!wanted) return true;
    if (relation.weight) {
        if (slot.tts_isnull[1] || slot.tts_isnull[2]) return true;
        return receiver.add(
            {0, text_unsafe(slot.tts_values[1]), decode_number(slot.tts_values[2], relation.weight->form)});
    }
    for (std::size_t column = 0; column < relation.columns.size(); ++column)
        if (!slot.tts_isnull[column + 1] && !add_column_unsafe(receiver, column, slot.tts_values[column + 1]))
            return false;
    return true;
}

/// Called by the executor.
bool receive(TupleTableSlot* slot, DestReceiver* self) {
    const auto* receiver = reinterpret_cast<const Receiver*>(self);
    slot_getallattrs(slot);
    if (slot->tts_isnull[0]) return true;
    MemoryContext executor = MemoryContextSwitchTo(receiver->row);
    const bool go_on = add_row_unsafe(*receiver, *slot);
    MemoryContextSwitchTo(executor);
    MemoryContextReset(receiver->row);
    return go_on;
}

/// `SELECT id, columns FROM relation`.
std::string feature_query(const FeatureRelation& relation) {
    std::string query = "SELECT " + relation.id.expression;
    for (const FeatureColumn& column : relation.columns) query += ", " + column.column.expression;
    if (relation.weight) query += ", " + relation.weight->expression;
    return query + " FROM " + relation.name;
}

std::string query_of_ids(const FeatureRelation& relation, const char* condition) {
    return feature_query(relation) + " WHERE " + equals(relation.id) + condition;
}

/// run(dest): executes the query, within a pg_call.
template <class Run>
FeatureRows collect(FeatureCollector& collector, const FeatureRelation& relation, const Run& run,
                    Environment& environment) {
    ExceptionHolder exception;
    Receiver receiver{row_destination(startup, receive), &relation, &collector, &exception, nullptr};
    {
        const CallerRole caller;
        pg_call([&run, dest = &receiver.pub] { run(dest); });
    }
    exception.rethrow();
    return std::move(collector).finish(environment);
}

FeatureRows read_all(const FeatureRelation& relation, const Ids* only, Oid reader, bool reads_only,
                     Environment& environment) {
    FeatureCollector collector(relation, only);
    const std::string text = feature_query(relation);
    CheckedQuery query{relation.relation, reader};
    return collect(
        collector, relation,
        [&](DestReceiver* dest) { run_checked_unsafe(text.c_str(), &query, no_parameter, reads_only, dest); },
        environment);
}

}  // namespace

FeatureRows read_features(const FeatureRelation& relation, Oid reader, Environment& environment) {
    return read_all(relation, nullptr, reader, false, environment);
}

FeatureRows read_features_among(const FeatureRelation& relation, const Ids& ids, Oid reader, Environment& environment,
                                bool reads_only) {
    return read_all(relation, &ids, reader, reads_only, environment);
}

FeatureRows read_features_of(const FeatureRelation& relation, std::span<const Id> ids, Oid reader,
                             Environment& environment, bool reads_only) {
    FeatureCollector collector(relation);
    const Oid type = array_type(relation.id);
    const std::string text = query_of_ids(relation, "ANY ($1)");
    CheckedQuery query{relation.relation, reader, type};
    const auto parameter = [&relation, ids, type] {
        return parameter_list_unsafe(type, ids_parameter_unsafe(relation.id, ids));
    };
    return collect(
        collector, relation,
        [&](DestReceiver* dest) { run_checked_unsafe(text.c_str(), &query, parameter, reads_only, dest); },
        environment);
}

FeaturePlan::FeaturePlan(FeatureRelation of, Oid reader)
    : relation(std::move(of)),
      query_(query_of_ids(relation, "$1"), {relation.relation, reader, id_type(relation.id)}) {}

FeatureRows FeaturePlan::read(const Id& id, Environment& environment) const {
    FeatureCollector collector(relation);
    return collect(
        collector, relation,
        [this, &id](DestReceiver* dest) {
            query_.run_unsafe([this, &id] { return id_parameter_unsafe(relation.id, id); }, dest);
        },
        environment);
}

}  // namespace mf::pg
