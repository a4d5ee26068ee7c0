// A level of a jsonb value, as plain data.
#pragma once

#include <span>
#include <string_view>

#include "pg/wall/guard.hpp"

namespace mf::pg {

/// One value: with its key in an object, without one in an array. Points into the jsonb and the memory context of the
/// call.
struct JsonEntry {
    std::string_view key;
    jbvType type;
    double number;          ///< jbvNumeric
    std::string_view word;  ///< jbvString
    bool boolean;           ///< jbvBool
    JsonbContainer* inner;  ///< jbvBinary: an object or an array
};

struct JsonEntries {
    bool is_object;
    bool is_array;
    int count;
    JsonEntry* entries;

    std::span<const JsonEntry> span() const { return {entries, static_cast<std::size_t>(count)}; }
};

/// The entries of an object or an array; of a scalar, neither flag is set and there are none.
JsonEntries json_entries_unsafe(JsonbContainer* container);

}  // namespace mf::pg
