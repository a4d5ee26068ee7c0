#include "pg/sql/row_receiver.hpp"

#include "pg/sql/column_values.hpp"
#include "pg/sql/source_query.hpp"

namespace mf::pg {
namespace {

/// A kept plan follows ALTER TABLE by itself; the decoding below must not, so it refuses other types.
void check_type_unsafe(TupleDesc descriptor, int column, const SourceColumn& expected) {
    const Oid found = getBaseType(TupleDescAttr(descriptor, column)->atttypid);
    if (plain_form(found) == expected.form) return;
    ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                    errmsg("column \"%s\" is now of type %s", expected.name.c_str(), format_type_be(found)),
                    errdetail("It had type %s when the model was trained.", format_type_be(expected.type)),
                    errhint("Train the model again.")));
}

void startup(DestReceiver* self, int, TupleDesc descriptor) {
    const auto* receiver = reinterpret_cast<const Receiver*>(self);
    const Source& source = *receiver->source;
    int column = 0;
    if (receiver->with_user) check_type_unsafe(descriptor, column++, source.user);
    check_type_unsafe(descriptor, column++, source.item);
    if (source.rating) check_type_unsafe(descriptor, column++, *source.rating);
    if (source.time) check_type_unsafe(descriptor, column++, *source.time);
}

/// Takes ids that are no integers.
void take_bytes_unsafe(const Receiver& receiver, SourceRow* row, Copies* copies) {
    const SourceColumn &user = receiver.source->user, &item = receiver.source->item;
    const int item_column = receiver.with_user ? 1 : 0;
    if (receiver.with_user && user.kind() != IdKind::Integer && !row->nulls[0])
        row->user_bytes = id_bytes_unsafe(row->values[0], user.form, copies);
    if (item.kind() != IdKind::Integer && !row->nulls[item_column])
        row->item_bytes = id_bytes_unsafe(row->values[item_column], item.form, copies);
}

/// Called by the executor. The PostgreSQL part comes first and holds nothing that a longjmp could skip; the C++ part
/// comes second, calls nothing of PostgreSQL and lets no exception out.
bool receive(TupleTableSlot* slot, DestReceiver* self) {
    const auto* receiver = reinterpret_cast<const Receiver*>(self);
    slot_getallattrs(slot);
    SourceRow row{slot->tts_values, slot->tts_isnull, {}, {}};
    Copies copies;
    if (receiver->with_bytes) take_bytes_unsafe(*receiver, &row, &copies);
    const bool go_on = receiver->exception->run([&] {
        receiver->batch->add(row);
        if (receiver->batch->is_full()) pass_on(*receiver);
    });
    for (int i = 0; i < copies.count; ++i) pfree(copies.pointers[i]);
    return go_on;
}

/// A query that is run once. parameter(): of the query, in the memory of SPI; null if it has none.
struct Scan {
    const Source& source;  ///< what the columns of the rows are, but for the user if there are none
    bool with_user;
    std::string text;
    CheckedQuery query;
    ScanFor purpose;
};

template <class Parameter>
std::uint64_t run(Scan& scan, RowSink& sink, const Parameter& parameter) {
    RowBatch batch(scan.source, scan.purpose, scan.with_user);
    ExceptionHolder exception;
    Receiver receiver = make_receiver(scan.source, scan.with_user, batch, sink, exception);
    const CallerRole caller;
    const bool reads_only = scan.purpose == ScanFor::Histories || scan.purpose == ScanFor::Evaluation;
    read_relation(scan.source, [text = scan.text.c_str(), query = &scan.query, dest = &receiver.pub, reads_only,
                                &parameter] { run_checked_unsafe(text, query, parameter, reads_only, dest); });
    exception.rethrow();
    pass_on(receiver);
    return batch.skipped();
}

}  // namespace

Receiver make_receiver(const Source& source, bool with_user, RowBatch& batch, RowSink& sink,
                       ExceptionHolder& exception) {
    const bool with_bytes =
        (with_user && source.user.kind() != IdKind::Integer) || source.item.kind() != IdKind::Integer;
    return {row_destination(startup, receive), &source, with_user, with_bytes, &batch, &sink, &exception};
}

void pass_on(const Receiver& receiver) {
    receiver.batch->decode();
    if (receiver.batch->size() > 0) receiver.sink->rows(*receiver.batch);
    receiver.batch->clear();
}

std::uint64_t scan_source(const Source& source, RowSink& sink, ScanFor purpose, Oid reader) {
    Scan scan{source, true, source_query(source, SourceRows::All), {source.relation, reader}, purpose};
    return run(scan, sink, no_parameter);
}

std::uint64_t scan_users(const Source& source, std::span<const Id> users, RowSink& sink, ScanFor purpose, Oid reader) {
    const Oid type = parameter_type(source, SourceRows::OfUsers);
    Scan scan{source, true, source_query(source, SourceRows::OfUsers), {source.relation, reader, type}, purpose};
    return run(scan, sink, [&source, users, type] {
        return parameter_list_unsafe(type, ids_parameter_unsafe(source.user, users));
    });
}

void scan_items(const Source& source, std::span<const Id> items, RowSink& sink, ScanFor purpose, Oid reader) {
    const Oid type = parameter_type(source, SourceRows::OfItems);
    Scan scan{source, true, source_query(source, SourceRows::OfItems), {source.relation, reader, type}, purpose};
    run(scan, sink,
        [&source, items, type] { return parameter_list_unsafe(type, ids_parameter_unsafe(source.item, items)); });
}

void scan_item_ids(const Source& source, RowSink& sink, Oid reader) {
    const Source ids = ids_of(source);
    Scan scan{ids, false, items_query(source), {source.relation, reader}, ScanFor::Estimate};
    run(scan, sink, no_parameter);
}

HistoryPlan::HistoryPlan(const Source& of, Oid reader)
    : source(of),
      query_(source_query(of, SourceRows::OfUser), {of.relation, reader, parameter_type(of, SourceRows::OfUser)}) {}

void HistoryPlan::scan(const Id& user, RowSink& sink) const {
    RowBatch batch(source, ScanFor::Histories, false);
    ExceptionHolder exception;
    Receiver receiver = make_receiver(source, false, batch, sink, exception);
    const CallerRole caller;
    read_relation(source, [this, &user, dest = &receiver.pub] {
        query_.run_unsafe([this, &user] { return id_parameter_unsafe(source.user, user); }, dest);
    });
    exception.rethrow();
    pass_on(receiver);
}

}  // namespace mf::pg
