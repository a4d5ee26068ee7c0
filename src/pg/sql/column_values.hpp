// Values of columns, in the forms that their queries give them.
#pragma once

#include "pg/sql/relation.hpp"

namespace mf::pg {

/// Detoasted copies of one row, to be freed after it.
struct Copies {
    void* pointers[2];
    int count = 0;
};

/// An id, in the one or the other variable; bytes point into the datum or its copy.
inline void decode_id_unsafe(Datum datum, ColumnForm form, std::int64_t* integer, std::string_view* bytes,
                             Copies* copies) {
    switch (form) {
        case ColumnForm::Int2:
            *integer = DatumGetInt16(datum);
            return;
        case ColumnForm::Int4:
            *integer = DatumGetInt32(datum);
            return;
        case ColumnForm::Int8:
            *integer = DatumGetInt64(datum);
            return;
        case ColumnForm::Uuid:
            *bytes = std::string_view(reinterpret_cast<const char*>(DatumGetUUIDP(datum)->data), UUID_LEN);
            return;
        default: {
            text* value = DatumGetTextPP(datum);
            if (static_cast<void*>(value) != static_cast<void*>(DatumGetPointer(datum)))
                copies->pointers[copies->count++] = value;
            *bytes = std::string_view(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
        }
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
