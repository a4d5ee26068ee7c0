// Blocks of distributed training runs as PostgreSQL keeps them: bytea.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pg/wall/guard.hpp"

namespace mf::pg {

/// The bytes of a datum in memory of the current context, uncompressed and where they begin at a multiple of 4.
inline std::string_view bytes_unsafe(Datum datum) {
    const auto* bytes = reinterpret_cast<const varlena*>(DatumGetPointer(datum));
    // With a header of 4 bytes: also what is stored with one of 1.
    const varlena* plain = pg_detoast_datum(const_cast<varlena*>(bytes));
    return {VARDATA(plain), VARSIZE(plain) - VARHDRSZ};
}

/// Frees what bytes_unsafe() has made of the datum, unless it is the datum itself.
inline void free_bytes_unsafe(Datum datum, std::string_view bytes) {
    char* const start = const_cast<char*>(bytes.data()) - VARHDRSZ;
    if (start != DatumGetPointer(datum)) pfree(start);
}

/// Throws program_limit_exceeded for more bytes than a datum holds.
void require_datum_size(std::size_t bytes);

/// A bytea in the current memory context.
Datum bytea_unsafe(std::string_view bytes);

}  // namespace mf::pg
