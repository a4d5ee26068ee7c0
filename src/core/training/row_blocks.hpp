// Cuts the rows of a half-step into pieces of work.
#pragma once

#include <cstdint>
#include <vector>

#include "core/data/csr.hpp"

namespace mf {

/// Rows [begin, end) that one worker solves in one go.
struct RowBlock {
    std::uint32_t begin;
    std::uint32_t end;
};

/// Cuts the rows into contiguous blocks of about equal cost, counted in multiplications: at most 64 rows, and fewer
/// where rows are long or factors are many, so that a cancel is seen soon. The costliest blocks come first, or a
/// row of a hundred thousand entries met last would leave the other threads waiting. Rows that are cut into pieces
/// (long_rows.hpp) count nothing. Depends on the shape of the matrix only. O(rows log rows).
std::vector<RowBlock> row_blocks(const Csr& matrix, int factors);

}  // namespace mf
