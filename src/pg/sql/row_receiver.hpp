// Rows of a query, one by one, from the executor into C++: a DestReceiver. Rows never pile up in an SPI tuple table,
// which took six times as long.
#pragma once

#include "pg/sql/checked_query.hpp"
#include "pg/sql/source.hpp"

namespace mf::pg {

/// One row of source_query(), decoded. Pointers are valid during the call that passes it.
struct SourceRow {
    bool user_null = false;
    bool item_null = false;
    bool rating_null = false;
    std::int64_t user_integer = 0;
    std::int64_t item_integer = 0;
    std::string_view user_bytes;
    std::string_view item_bytes;
    double rating = 1.0;
    double time = 0.0;
};

/// The index of a row's user or item in a table of ids, or nothing.
template <class Ids>
std::optional<std::uint32_t> find_user(const Ids& ids, const SourceRow& row) {
    return ids.kind() == IdKind::Integer ? ids.find(row.user_integer) : ids.find(row.user_bytes);
}
template <class Ids>
std::optional<std::uint32_t> find_item(const Ids& ids, const SourceRow& row) {
    return ids.kind() == IdKind::Integer ? ids.find(row.item_integer) : ids.find(row.item_bytes);
}

/// Takes rows. What it throws ends the query early and is rethrown when the query has returned.
class RowSink {
  public:
    virtual ~RowSink() = default;
    virtual void row(const SourceRow& row) = 0;
};

/// Runs source_query(source, false) and feeds every row to the sink. The rights of `reader` are checked, InvalidOid
/// meaning the current user; code in the source runs as the current user. A scan for serving reads under the active
/// snapshot and allows no writing; one for a training sees what was committed last.
enum class ScanFor { Training, Serving };
void scan_source(const Source& source, RowSink& sink, ScanFor purpose = ScanFor::Training, Oid reader = InvalidOid);

/// source_query(source, true) prepared for keeps: one user's rows, with the rights of `reader`.
class HistoryPlan {
  public:
    HistoryPlan(const Source& of, Oid reader);
    ~HistoryPlan();
    HistoryPlan(const HistoryPlan&) = delete;
    HistoryPlan& operator=(const HistoryPlan&) = delete;

    /// False if the reader is another one, or if the source may have been altered, renamed or dropped.
    bool is_valid_unsafe(Oid reader) const;

    /// Feeds the rows of one user to the sink, under the active snapshot, reading only; code in the source runs as the
    /// current user. It may be running already, if the source itself asks for recommendations.
    void scan(const Id& user, RowSink& sink) const;

    const Source source;

  private:
    CheckedQuery query_;
    SPIPlanPtr plan_ = nullptr;
};

}  // namespace mf::pg
