// Rows of the extension's own tables, as this version of the library knows them.
#pragma once

#include "pg/wall/guard.hpp"

namespace mf::pg {

/// The first `columns` columns of a row. A later version's script may have appended more to the table while sessions
/// have this library loaded: they are passed over. Columns that the table lacks are NULL.
inline void deform_unsafe(HeapTuple tuple, TupleDesc descriptor, int columns, Datum* values, bool* nulls) {
    const int there = descriptor->natts;
    for (int i = there; i < columns; ++i) nulls[i] = true;
    if (there <= columns) {
        heap_deform_tuple(tuple, descriptor, values, nulls);
        return;
    }
    auto* all_values = static_cast<Datum*>(palloc(sizeof(Datum) * static_cast<Size>(there)));
    auto* all_nulls = static_cast<bool*>(palloc(sizeof(bool) * static_cast<Size>(there)));
    heap_deform_tuple(tuple, descriptor, all_values, all_nulls);
    memcpy(values, all_values, sizeof(Datum) * static_cast<Size>(columns));
    memcpy(nulls, all_nulls, sizeof(bool) * static_cast<Size>(columns));
    pfree(all_values);
    pfree(all_nulls);
}

}  // namespace mf::pg
