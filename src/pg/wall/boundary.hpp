// The wall, seen from PostgreSQL: how a function that SQL calls enters C++, and how a C++ exception becomes an ERROR.
#pragma once

#include "pg/wall/guard.hpp"

namespace mf::pg {

using FunctionBody = Datum (*)(FunctionCallInfo);

/// A C++ exception as it is kept after its frames were left: without any member that has a destructor.
struct Failure {
    ErrorData* postgres = nullptr;  ///< for a PostgreSQL error, which sets none of the members below
    int sqlstate = ERRCODE_INTERNAL_ERROR;
    char message[1024] = "";
    char detail[1024] = "";
    char hint[2048] = "";
};

/// Called in a catch block: describes the exception in flight.
void describe_exception(Failure* failure);

/// Runs a function's body; turns every exception into a PostgreSQL error after the C++ frames were left.
Datum run_body(FunctionBody body, FunctionCallInfo fcinfo);

}  // namespace mf::pg

/// Defines a function that SQL calls. The body is C++ and may throw; it calls PostgreSQL only through pg_call.
#define MF_FUNCTION(name)                                                          \
    extern "C" {                                                                   \
    PGDLLEXPORT Datum name(PG_FUNCTION_ARGS);                                      \
    PG_FUNCTION_INFO_V1(name);                                                     \
    }                                                                              \
    static Datum name##_body(FunctionCallInfo fcinfo);                             \
    Datum name(PG_FUNCTION_ARGS) { return mf::pg::run_body(name##_body, fcinfo); } \
    static Datum name##_body([[maybe_unused]] FunctionCallInfo fcinfo)

/// Defines name_integer, name_uuid and name_text, the overloads of an SQL function for the kinds of ids. Each is
/// body(fcinfo, kind).
#define MF_ID_FUNCTIONS(name, body)                                       \
    MF_FUNCTION(name##_integer) { return body(fcinfo, IdKind::Integer); } \
    MF_FUNCTION(name##_uuid) { return body(fcinfo, IdKind::Uuid); }       \
    MF_FUNCTION(name##_text) { return body(fcinfo, IdKind::Text); }
