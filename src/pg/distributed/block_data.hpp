// Blocks of distributed training runs as PostgreSQL keeps them: bytea.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pg/wall/guard.hpp"

namespace mf::pg {

/// What a part of a step is, or a row of the table of what is shared: factors of a RowSide, or one of the others.
enum class PartKind : std::int32_t { Users, Items, Step, Heads, Sums };

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

/// Some bytes of a datum, from `begin` on, as above; of what is stored out of line only those are read. Fewer if there
/// are not so many.
std::string_view slice_unsafe(Datum datum, std::size_t begin, std::size_t size);

/// Bytes that a datum has in memory once it is read.
std::size_t size_unsafe(Datum datum);

/// Throws MemoryLimitExceeded if what runs where the rows are needs more than mf_ext.max_memory.
void require_task_memory(const char* what, double bytes);

/// Throws program_limit_exceeded for more bytes than a datum holds.
void require_datum_size(std::size_t bytes);

/// A bytea in the current memory context.
Datum bytea_unsafe(std::string_view bytes);

}  // namespace mf::pg
