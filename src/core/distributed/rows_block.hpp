// The rows of one bucket of users, or of items, as an engine keeps them: ids, and two sparse matrices, of the entries
// to train on and of those that are held out.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/array.hpp"
#include "core/data/csr.hpp"
#include "core/distributed/id_list.hpp"

namespace mf {

/// Rows of a bucket, to be written. Row r of each part belongs to the r-th id.
struct RowsBlock {
    std::string ids;                    ///< write_ids()
    std::string column_ids;             ///< likewise, of the columns; empty where these are numbers of a whole side
    Array<std::uint32_t> interactions;  ///< entries of the row, held-out ones included
    Array<std::uint64_t> marks;         ///< of users the digest of the history; of items rows merged into others
    Array<std::uint64_t> column_marks;  ///< with column_ids: of each column, rows of the bucket merged into others
    Csr train;
    Csr test;                  ///< of the same shape
    bool has_weights = false;  ///< values of `train` are weights of interactions before they are scaled

    /// The block as bytes. O(entries).
    std::string write() const;
};

/// What a block says of its rows beside their entries.
class RowHeads {
  public:
    RowHeads() = default;
    /// Throws InvalidData for bytes that are no such heads. O(rows).
    explicit RowHeads(std::string_view bytes);

    /// So many of the first bytes of a block say where its heads are.
    static constexpr std::size_t kPrefix = 24;
    struct Place {
        std::size_t begin;
        std::size_t size;
    };
    /// Throws InvalidData for bytes with which no block begins.
    static Place find(std::string_view prefix);

    std::uint32_t rows() const { return ids_.size(); }
    const IdList& ids() const { return ids_; }
    std::span<const std::uint32_t> interactions() const { return interactions_; }
    std::span<const std::uint64_t> marks() const { return marks_; }

  private:
    IdList ids_;
    std::span<const std::uint32_t> interactions_;
    Array<std::uint64_t> marks_;
};

/// The whole block, read where it lies: bytes at a multiple of 4, which must stay.
class RowsView {
  public:
    /// Throws InvalidData for bytes that are no such block, so that whatever they say, nothing is read beyond them.
    /// O(entries).
    explicit RowsView(std::string_view bytes);

    std::uint32_t rows() const { return heads_.rows(); }
    std::uint32_t columns() const { return columns_; }
    bool has_weights() const { return has_weights_; }
    const IdList& ids() const { return heads_.ids(); }
    bool has_column_ids() const { return has_column_ids_; }
    const IdList& column_ids() const { return column_ids_; }
    std::span<const std::uint32_t> interactions() const { return heads_.interactions(); }
    std::span<const std::uint64_t> marks() const { return heads_.marks(); }
    std::span<const std::uint64_t> column_marks() const { return column_marks_; }
    CsrView train() const { return {train_.offsets, train_.columns, train_.values}; }
    CsrView test() const { return {test_.offsets, test_.columns, test_.values}; }

  private:
    struct Matrix {
        Array<std::uint64_t> offsets;
        std::span<const std::uint32_t> columns;
        std::span<const float> values;
    };
    Matrix read_matrix(WireReader& reader) const;

    RowHeads heads_;
    IdList column_ids_;
    bool has_column_ids_ = false;
    std::uint32_t columns_ = 0;
    bool has_weights_ = false;
    Array<std::uint64_t> column_marks_;
    Matrix train_;
    Matrix test_;
};

/// Both matrices as one: all entries of the rows, ascending. O(entries).
Csr all_entries(const RowsView& rows);

/// A matrix of its own with the entries of a view.
Csr copy_of(CsrView matrix, std::uint32_t columns);

}  // namespace mf
