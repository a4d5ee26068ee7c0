// Sparse matrices by rows, and by columns.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/array.hpp"
#include "core/base/parallel.hpp"

namespace mf {

/// Read access to consecutive sparse rows, wherever they lie: all of a matrix, a block of its rows, or rows that came
/// from elsewhere. Row r holds columns[offsets[r] .. offsets[r + 1]), ascending, with their values.
struct CsrView {
    std::span<const std::uint64_t> offsets;  ///< rows + 1 positions in columns and values; the first may be above 0
    std::span<const std::uint32_t> columns;  ///< may go on behind the last row; what follows a row is prefetched
    std::span<const float> values;           ///< as columns

    std::uint32_t rows() const { return offsets.empty() ? 0 : static_cast<std::uint32_t>(offsets.size() - 1); }
    std::uint64_t entries() const { return offsets.empty() ? 0 : offsets.back() - offsets.front(); }
    std::size_t row_size(std::uint32_t row) const { return static_cast<std::size_t>(offsets[row + 1] - offsets[row]); }
    std::span<const std::uint32_t> row_columns(std::uint32_t row) const {
        return columns.subspan(offsets[row], row_size(row));
    }
    std::span<const float> row_values(std::uint32_t row) const { return values.subspan(offsets[row], row_size(row)); }
    /// The columns of a row, followed by what comes next in memory.
    std::span<const std::uint32_t> columns_from(std::uint32_t row) const { return columns.subspan(offsets[row]); }
    /// Rows [begin, end).
    CsrView slice(std::uint32_t begin, std::uint32_t end) const {
        return {offsets.subspan(begin, end - begin + std::size_t{1}), columns, values};
    }
};

/// Compressed sparse rows. Row r holds columns[offsets[r] .. offsets[r + 1]), ascending, with their values.
struct Csr {
    Array<std::uint64_t> offsets;  // rows + 1 entries
    Array<std::uint32_t> columns;
    Array<float> values;
    Array<float> weights;  ///< of the entries, by their age, above 0 and at most 1; empty: all are 1
    std::uint32_t column_count = 0;

    std::uint32_t rows() const { return offsets.empty() ? 0 : static_cast<std::uint32_t>(offsets.size() - 1); }
    std::uint64_t entries() const { return columns.size(); }
    std::uint64_t row_size(std::uint32_t row) const { return offsets[row + 1] - offsets[row]; }
    std::span<const std::uint32_t> row_columns(std::uint32_t row) const {
        return {columns.data() + offsets[row], static_cast<std::size_t>(row_size(row))};
    }
    std::span<const float> row_values(std::uint32_t row) const {
        return {values.data() + offsets[row], static_cast<std::size_t>(row_size(row))};
    }
    float weight(std::uint64_t entry) const { return weights.empty() ? 1.0f : weights[entry]; }
    /// Those of a row; empty if all are 1.
    std::span<const float> row_weights(std::uint32_t row) const {
        if (weights.empty()) return {};
        return {weights.data() + offsets[row], static_cast<std::size_t>(row_size(row))};
    }
    /// Gives all entries room for weights if `other` has some. Columns and values are there already.
    void allocate_weights_as(const Csr& other) {
        if (!other.weights.empty()) weights = Array<float>(columns.size());
    }
    operator CsrView() const { return {offsets, columns, values}; }
    /// The same rows with other values, as many as there are entries.
    CsrView with_values(std::span<const float> others) const { return {offsets, columns, others}; }
};

/// A matrix of that many rows and columns without entries.
Csr without_entries(std::uint32_t rows, std::uint32_t columns);

/// Rows that have entries. O(rows).
inline std::uint32_t occupied_rows(CsrView matrix) {
    std::uint32_t count = 0;
    for (std::uint32_t row = 0; row < matrix.rows(); ++row) count += matrix.row_size(row) > 0;
    return count;
}

/// Whether each row has entries, and each column. O(rows) and O(columns + entries).
std::vector<bool> occupied(CsrView matrix);
std::vector<bool> occupied_columns(const Csr& matrix);

/// The same entries by column; rows of the result are ascending. O(entries), on all threads. Memory beside the
/// result: 8 bytes a column and thread.
Csr transpose(const Csr& matrix, Environment& environment);
/// The same on the calling thread alone; cannot be cancelled.
Csr transpose(const Csr& matrix);

/// Some columns of a matrix as rows: row r has the entries of columns[r], the columns being ascending, with `values` in
/// place of the matrix's own, which are as many. O(entries), on the calling thread, with checkpoints. 4 bytes a column
/// of the matrix.
Csr rows_of_columns(const Csr& matrix, std::span<const float> values, std::span<const std::uint32_t> columns,
                    Environment& environment);

}  // namespace mf
