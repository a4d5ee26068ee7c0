#include "pg/distributed/block_data.hpp"

namespace mf::pg {

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
