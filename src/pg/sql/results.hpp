// Rows of a set-returning function.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <limits>

#include "core/data/sorted_ids.hpp"
#include "pg/sql/ids.hpp"

namespace mf::pg {

/// One row of a list: an id, up to two numbers and a word. Which of them a function returns depends on its columns.
struct ListRow {
    std::uint32_t item;
    float number;
    float second_number = std::numeric_limits<float>::quiet_NaN();  ///< NaN: NULL
};

/// Keeps the first n rows in the order of before(a, b), sorted. O(rows · log n).
template <class Before>
void keep_first(std::vector<ListRow>& rows, std::size_t n, const Before& before) {
    const auto wanted = static_cast<std::ptrdiff_t>(std::min(n, rows.size()));
    std::partial_sort(rows.begin(), rows.begin() + wanted, rows.end(), before);
    rows.erase(rows.begin() + wanted, rows.end());
}

/// Prepares the result of a set-returning function that is materialized. Raises where a set cannot be returned.
void begin_rows_unsafe(FunctionCallInfo fcinfo);

/// Adds one row to the result: the values, none of them NULL, then columns of double precision that are NULL for NaN,
/// then others.
void put_row_unsafe(FunctionCallInfo fcinfo, std::initializer_list<Datum> values,
                    std::initializer_list<double> numbers = {}, std::initializer_list<NullableDatum> others = {});

/// Adds rows (id, number, second_number, word, rank) to the result, or, with a null word, (id, number, rank), of which
/// a function without ranks leaves out the last. Ranks are 1, 2 and so on. Ids are shown in the overload's type. Ids is
/// IdTable or SortedIds.
template <class Ids>
void put_list(FunctionCallInfo fcinfo, IdKind overload, const Ids& ids, std::span<const ListRow> rows,
              const char* word);

}  // namespace mf::pg
