// Sparse matrices by rows, and by columns.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/array.hpp"
#include "core/base/parallel.hpp"

namespace mf {

/// Compressed sparse rows. Row r holds columns[offsets[r] .. offsets[r + 1]), ascending, with their values.
struct Csr {
    Array<std::uint64_t> offsets;  // rows + 1 entries
    Array<std::uint32_t> columns;
    Array<float> values;
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
};

/// The same entries by column; rows of the result are ascending. O(entries), on all threads. Memory beside the
/// result: 8 bytes a column and thread.
Csr transpose(const Csr& matrix, Environment& environment);
/// The same on the calling thread alone, not to be cancelled.
Csr transpose(const Csr& matrix);

}  // namespace mf
