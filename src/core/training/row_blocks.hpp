// Cuts the rows of a side into pieces of work, once for all its half-steps.
#pragma once

#include <cstdint>
#include <vector>

#include "core/data/csr.hpp"

namespace mf {

/// Rows [begin, end) that one worker solves in one call.
struct RowBlock {
    std::uint32_t begin;
    std::uint32_t end;
};

/// Every row is in one of the blocks or is a long one.
struct RowPlan {
    std::vector<RowBlock> blocks;
    std::vector<std::uint32_t> long_rows;  ///< ascending
};

/// Cuts the rows into contiguous blocks of about equal cost, counted in multiplications: at most 64 rows, and fewer
/// where rows are long or factors are many, so that a cancel takes effect soon. The costliest blocks come first, or a
/// row of a hundred thousand entries met last would leave the other threads waiting. Rows of more than
/// piece_entries() are long: the threads build their systems together (solve_long_rows()). Depends on the shape of
/// the matrix only. O(rows log rows).
RowPlan plan_rows(CsrView matrix, int factors);

}  // namespace mf
