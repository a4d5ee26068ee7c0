// Rows of a query, one by one, from the executor into C++: a DestReceiver. Rows never pile up in an SPI tuple table,
// which took six times as long.
#pragma once

#include "pg/source.hpp"

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

/// Runs source_query(source, false) with the rights of the current user and feeds every row to the sink. A scan for
/// serving reads under the active snapshot and allows no writing; one for a training sees what was committed last.
enum class ScanFor { Training, Serving };
void scan_source(const Source& source, RowSink& sink, ScanFor purpose = ScanFor::Training);

/// Prepares source_query(source, true) for keeps; free it with SPI_freeplan.
SPIPlanPtr prepare_history_plan(const Source& source);

/// Runs that plan for one user under the active snapshot, reading only.
void scan_history(const Source& source, SPIPlanPtr plan, const Id& user, RowSink& sink);

}  // namespace mf::pg
