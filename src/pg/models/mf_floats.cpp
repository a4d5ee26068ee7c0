// mf_floats: what the views show of factors that are stored in 16 bits.
#include "core/base/half_floats.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/guard.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
}

namespace mf::pg {
namespace {

Datum floats_unsafe(FunctionCallInfo fcinfo) {
    ArrayType* halves = PG_GETARG_ARRAYTYPE_P(0);
    if (ARR_NDIM(halves) > 1 || array_contains_nulls(halves))
        ereport(ERROR, (errcode(ERRCODE_ARRAY_ELEMENT_ERROR),
                        errmsg("16-bit floats must be a one-dimensional array without NULLs")));
    const int count = ARR_NDIM(halves) == 0 ? 0 : ARR_DIMS(halves)[0];
    const auto* bits = reinterpret_cast<const std::uint16_t*>(ARR_DATA_PTR(halves));
    auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * static_cast<Size>(count)));
    for (int i = 0; i < count; ++i) values[i] = Float4GetDatum(from_half(bits[i]));
    return PointerGetDatum(construct_array(values, count, FLOAT4OID, sizeof(float), true, TYPALIGN_INT));
}

}  // namespace

MF_FUNCTION(mf_floats) {
    return pg_call([fcinfo] { return floats_unsafe(fcinfo); });
}

}  // namespace mf::pg
