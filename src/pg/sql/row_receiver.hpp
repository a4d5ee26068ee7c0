// Rows of a query from the executor into C++: a DestReceiver. Rows never pile up in an SPI tuple table, which took six
// times as long.
#pragma once

#include "pg/sql/checked_query.hpp"
#include "pg/sql/citus.hpp"
#include "pg/sql/row_batch.hpp"

namespace mf::pg {

/// Takes rows. What it throws ends the query early and is rethrown when the query has returned.
class RowSink {
  public:
    virtual ~RowSink() = default;
    virtual void rows(const RowBatch& batch) = 0;
};

/// What an executor hands the rows of a source to, through `pub`. Lives on the stack of the scan.
struct Receiver {
    DestReceiver pub;
    const Source* source;
    bool with_user;
    bool with_bytes;  ///< there are ids that are no integers
    RowBatch* batch;
    RowSink* sink;
    ExceptionHolder* exception;
};
Receiver make_receiver(const Source& source, bool with_user, RowBatch& batch, RowSink& sink,
                       ExceptionHolder& exception);

/// Hands what is batched to the sink.
void pass_on(const Receiver& receiver);

/// pg_call of a query on a source.
template <class Read>
void read_relation(const Source& source, const Read& read) {
    try {
        pg_call(read);
    } catch (const PgError& error) {
        hint_at_rights_of_caller(error, source.name);
        throw;
    }
}

/// Reads all rows of the source, passes every row without NULLs to the sink and returns how many were skipped. The
/// rights of `reader` are checked, InvalidOid meaning the current user; code in the source runs as the current user. A
/// scan for serving or for an evaluation reads under the active snapshot and allows no writing; the others see what was
/// committed last. Throws besides as RowBatch::add().
std::uint64_t scan_source(const Source& source, RowSink& sink, ScanFor purpose, Oid reader = InvalidOid);

/// The same for the rows of some users.
std::uint64_t scan_users(const Source& source, std::span<const Id> users, RowSink& sink, ScanFor purpose, Oid reader);

/// The same for the rows of some items.
void scan_items(const Source& source, std::span<const Id> items, RowSink& sink, ScanFor purpose, Oid reader);

/// Passes the items of all rows that training would take, in batches without users; rights as in scan_source().
void scan_item_ids(const Source& source, RowSink& sink, Oid reader);

/// The query for one user's rows prepared for keeps, with the rights of `reader`.
class HistoryPlan {
  public:
    HistoryPlan(const Source& of, Oid reader);

    /// As KeptQuery::is_valid_unsafe().
    bool is_valid_unsafe(Oid reader) const { return query_.is_valid_unsafe(reader); }

    /// Feeds the rows of one user to the sink, under the active snapshot, reading only; code in the source runs as the
    /// current user. It may be running already, if the source itself asks for recommendations.
    void scan(const Id& user, RowSink& sink) const;

    const Source source;

  private:
    KeptQuery query_;
};

}  // namespace mf::pg
