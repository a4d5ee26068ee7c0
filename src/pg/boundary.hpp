// The wall, seen from PostgreSQL: how a function that SQL calls enters C++, and how a C++ exception becomes an ERROR.
#pragma once

#include "pg/guard.hpp"

namespace mf::pg {

using FunctionBody = Datum (*)(FunctionCallInfo);

/// Runs a function's body; every exception is turned into a PostgreSQL error after the C++ frames are gone.
Datum run_body(FunctionBody body, FunctionCallInfo fcinfo);

}  // namespace mf::pg

/// Defines a function that SQL calls. The body is C++ and may throw; it reaches PostgreSQL through pg_call only.
#define MF_FUNCTION(name)                                                        \
    extern "C" {                                                                 \
    PGDLLEXPORT Datum name(PG_FUNCTION_ARGS);                                    \
    PG_FUNCTION_INFO_V1(name);                                                   \
    }                                                                            \
    static Datum name##_body(FunctionCallInfo fcinfo);                           \
    Datum name(PG_FUNCTION_ARGS) { return mf::pg::run_body(name##_body, fcinfo); } \
    static Datum name##_body([[maybe_unused]] FunctionCallInfo fcinfo)
