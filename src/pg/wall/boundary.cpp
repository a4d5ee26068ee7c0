#include "core/base/eigen_config.hpp"
#include "core/base/error.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/clipped.hpp"

namespace mf::pg {
namespace {

void set(Failure* failure, int sqlstate, const char* what) {
    failure->sqlstate = sqlstate;
    copy_clipped(failure->message, what);
}

template <class E>
void set(Failure* failure, int sqlstate, const E& error) {
    set(failure, sqlstate, error.what());
    copy_clipped(failure->detail, error.detail());
    copy_clipped(failure->hint, error.hint());
}

[[noreturn]] void raise_unsafe(const Failure& failure) {
    if (failure.postgres != nullptr) ReThrowError(failure.postgres);
    ereport(ERROR, (errcode(failure.sqlstate), errmsg("%s", failure.message),
                    failure.detail[0] != '\0' ? errdetail("%s", failure.detail) : 0,
                    failure.hint[0] != '\0' ? errhint("%s", failure.hint) : 0));
    pg_unreachable();
}

}  // namespace

void describe_exception(Failure* failure) {
    try {
        throw;
    } catch (const PgError& e) {
        failure->postgres = e.data;
    } catch (const SqlError& e) {
        set(failure, e.sqlstate(), e);
    } catch (const InvalidArgument& e) {
        set(failure, ERRCODE_INVALID_PARAMETER_VALUE, e);
    } catch (const InvalidData& e) {
        set(failure, ERRCODE_DATA_EXCEPTION, e);
    } catch (const MemoryLimitExceeded& e) {
        set(failure, ERRCODE_PROGRAM_LIMIT_EXCEEDED, e);
    } catch (const NumericalFailure& e) {
        set(failure, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, e);
    } catch (const std::bad_alloc&) {
        set(failure, ERRCODE_OUT_OF_MEMORY, "out of memory");
    } catch (const EigenAssertion& e) {
        set(failure, ERRCODE_INTERNAL_ERROR, e.what());
        copy_clipped(failure->hint, "This is a bug in mf_ext; please report it.");
    } catch (const std::exception& e) {
        set(failure, ERRCODE_INTERNAL_ERROR, e.what());
    } catch (...) {
        set(failure, ERRCODE_INTERNAL_ERROR, "unknown C++ exception");
    }
}

Datum run_body(FunctionBody body, FunctionCallInfo fcinfo) {
    Failure failure;
    try {
        return body(fcinfo);
    } catch (...) {
        describe_exception(&failure);
    }
    raise_unsafe(failure);
}

}  // namespace mf::pg
