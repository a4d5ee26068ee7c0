// The rows of a source, one tenant after the other.
#pragma once

#include "pg/sql/row_receiver.hpp"

namespace mf::pg {

/// One query whose rows are fetched as they are asked for, so that between two tenants anything may be done, in
/// subtransactions too. The executor sorts the rows, in work_mem and beyond that in files; here are never more than
/// some hundred of them. A call of PostgreSQL that fails while rows are fetched ends the scan; what a sink throws does
/// not.
class TenantScan {
  public:
    /// Begins the query with the rights of the current user. The source, which outlives the scan, has a column of
    /// tenants; what value it names does not matter.
    TenantScan(const Source& source, ScanFor purpose);
    TenantScan(const TenantScan&) = delete;
    TenantScan& operator=(const TenantScan&) = delete;

    /// Goes to the next tenant, past those rows of the present one that were not read. False after the last one.
    bool next();

    /// Passes the tenant's rows to the sink as scan_source() does, and returns how many were skipped. Once for each
    /// tenant.
    std::uint64_t read(RowSink& sink);

    /// The value of the tenant that was read. Values that are equal may print differently, such as 1.0 and 1.00: then
    /// the first form in the order of bytes.
    std::string value() const { return text_; }

    /// Whether the type reads that text as the value again, so that a query can find the tenant by it.
    bool is_read_back() const;

    /// Rows that were fetched so far.
    std::uint64_t rows() const { return rows_fetched_; }

    /// Rows that belong to no tenant, after the last one.
    std::uint64_t without_tenant() const { return without_tenant_; }

  private:
    static constexpr int kBlockRows = 256;

    void open_unsafe();
    void close_unsafe();
    bool peek_unsafe();
    bool is_same_unsafe();
    void set_tenant_unsafe(Datum value);
    const char* text_unsafe(Datum value);

    const Source& source_;
    ScanFor purpose_;
    std::string query_text_;
    CheckedQuery query_;
    // The portal, the contexts and what is in them go with the query that calls, or with its transaction.
    Portal portal_ = nullptr;
    TupleTableSlot* slot_ = nullptr;
    MemoryContext of_block_ = nullptr;
    MemoryContext of_tenant_ = nullptr;
    MinimalTuple rows_[kBlockRows];
    int fetched_ = 0;
    int next_ = 0;
    bool ended_ = false;
    std::uint64_t rows_fetched_ = 0;
    // The column of tenants.
    AttrNumber column_ = 0;
    Oid type_ = InvalidOid;
    Oid collation_ = InvalidOid;
    bool by_value_ = false;
    std::int16_t length_ = 0;
    FmgrInfo* equal_ = nullptr;
    FmgrInfo output_{};
    // The tenant.
    bool has_tenant_ = false;
    Datum value_ = Datum{0};
    const char* text_ = "";
    std::uint64_t without_tenant_ = 0;
};

}  // namespace mf::pg
