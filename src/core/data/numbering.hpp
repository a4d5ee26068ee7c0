// Numbers without gaps for the users and items of a matrix that have cells.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "core/base/array.hpp"
#include "core/data/csr.hpp"

namespace mf {

/// Numbers without gaps, in the same order, for those of 0, 1, … that are occupied.
struct Numbering {
    static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

    std::vector<std::uint32_t> number;  ///< kNone for the others
    std::uint32_t count = 0;

    explicit Numbering(const std::vector<bool>& occupied);

    /// The values of those that have numbers.
    Array<std::uint64_t> take(const Array<std::uint64_t>& values) const;
};

/// Of the rows, and of the columns, that have entries. O(rows) and O(columns + entries).
Numbering users_of(const Csr& cells);
Numbering items_of(const Csr& cells);

/// Renumbers rows and columns in place; rows and columns without a number must have no entries.
void renumber(Csr& cells, const Numbering& users, const Numbering& items);

}  // namespace mf
