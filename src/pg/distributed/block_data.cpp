#include "pg/distributed/block_data.hpp"

#include "core/base/error.hpp"
#include "pg/wall/environment.hpp"
#include "pg/wall/guc.hpp"

extern "C" {
#include "access/detoast.h"
}

namespace mf::pg {

std::string_view slice_unsafe(Datum datum, std::size_t begin, std::size_t size) {
    const varlena* slice = detoast_attr_slice(reinterpret_cast<varlena*>(DatumGetPointer(datum)),
                                              static_cast<int32>(begin), static_cast<int32>(size));
    return {VARDATA(slice), VARSIZE(slice) - VARHDRSZ};
}

std::size_t size_unsafe(Datum datum) { return toast_raw_datum_size(datum); }

void require_task_memory(const char* what, double bytes) {
    if (bytes <= static_cast<double>(setting_max_memory())) return;
    throw MemoryLimitExceeded(std::string(what) + " needs " + megabytes(static_cast<std::size_t>(bytes)) +
                                  " of memory, mf_ext.max_memory is " + megabytes(setting_max_memory()),
                              {},
                              "Raise mf_ext.max_memory on the servers that have the rows, or use fewer factors or more"
                              " buckets.");
}

void require_datum_size(std::size_t bytes) {
    if (bytes <= MaxAllocSize - VARHDRSZ) return;
    throw SqlError(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "a block of a training run is larger than 1 GB", "",
                   R"(Use more buckets: options => '{"engine": "distributed", "buckets": ...}'.)");
}

Datum bytea_unsafe(std::string_view bytes) {
    auto* result = static_cast<bytea*>(palloc(bytes.size() + VARHDRSZ));
    SET_VARSIZE(result, bytes.size() + VARHDRSZ);
    memcpy(VARDATA(result), bytes.data(), bytes.size());
    return PointerGetDatum(result);
}

}  // namespace mf::pg
