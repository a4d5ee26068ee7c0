// How statements on the job table hand over one row.
#pragma once

#include "pg/sql/own_tables.hpp"

extern "C" {
#include "utils/datum.h"
}

namespace mf::pg {

/// take(row, descriptor) of the first row that the statement gives, whose only parameter is the number of a job; false
/// if it gives none. Runs as the tables' owner.
template <class Take>
bool take_job_unsafe(const Catalog& catalog, const char* sql, std::int64_t job_id, const Take& take) {
    const Parameter parameter = int8_parameter(job_id);
    bool found = false;
    execute_unsafe(relation_owner_unsafe(catalog.models), {sql, 1, &parameter},
                   [&found, &take](std::uint64_t rows, const SPITupleTable* table) {
                       found = rows > 0;
                       if (found) take(table->vals[0], table->tupdesc);
                   });
    return found;
}

/// A column, counted from 1, in the memory context that is current.
inline NullableDatum column_unsafe(HeapTuple tuple, TupleDesc desc, int number) {
    NullableDatum result;
    result.value = SPI_getbinval(tuple, desc, number, &result.isnull);
    const Form_pg_attribute attribute = TupleDescAttr(desc, number - 1);
    if (!result.isnull) result.value = datumCopy(result.value, attribute->attbyval, attribute->attlen);
    return result;
}

}  // namespace mf::pg
