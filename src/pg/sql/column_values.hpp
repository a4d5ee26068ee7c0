// Values of columns, in the forms that their queries give them.
#pragma once

#include "pg/sql/relation.hpp"

namespace mf::pg {

/// Detoasted copies of one row, to be freed after it.
struct Copies {
    void* pointers[2];
    int count = 0;
};

/// The bytes of an id that is no integer; they are in the datum or its copy.
inline std::string_view id_bytes_unsafe(Datum datum, ColumnForm form, Copies* copies) {
    if (form == ColumnForm::Uuid)
        return std::string_view(reinterpret_cast<const char*>(DatumGetUUIDP(datum)->data), UUID_LEN);
    text* value = DatumGetTextPP(datum);
    if (static_cast<void*>(value) != static_cast<void*>(DatumGetPointer(datum)))
        copies->pointers[copies->count++] = value;
    return std::string_view(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

/// A value of one of the forms of integers.
inline std::int64_t decode_integer(Datum datum, ColumnForm form) {
    switch (form) {
        case ColumnForm::Int2:
            return DatumGetInt16(datum);
        case ColumnForm::Int4:
            return DatumGetInt32(datum);
        default:
            return DatumGetInt64(datum);
    }
}

/// A value of one of the forms of numbers, or of Bool.
inline double decode_number(Datum datum, ColumnForm form) {
    switch (form) {
        case ColumnForm::Int2:
            return DatumGetInt16(datum);
        case ColumnForm::Int4:
            return DatumGetInt32(datum);
        case ColumnForm::Int8:
            return static_cast<double>(DatumGetInt64(datum));
        case ColumnForm::Float4:
            return DatumGetFloat4(datum);
        case ColumnForm::Bool:
            return DatumGetBool(datum) ? 1.0 : 0.0;
        default:
            return DatumGetFloat8(datum);
    }
}

}  // namespace mf::pg
