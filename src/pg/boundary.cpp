#include "core/eigen_config.hpp"
#include "core/error.hpp"
#include "pg/boundary.hpp"

namespace mf::pg {
namespace {

/// What is left of a C++ exception once its frames are gone: nothing with a destructor.
struct Failure {
    ErrorData* postgres = nullptr;
    int sqlstate = ERRCODE_INTERNAL_ERROR;
    char message[1024] = "";
    char detail[1024] = "";
    char hint[2048] = "";

    void set(int code, const char* what) {
        sqlstate = code;
        strlcpy(message, what, sizeof message);
    }
    template <class E>
    void set(int code, const E& error) {
        set(code, error.what());
        strlcpy(detail, error.detail().c_str(), sizeof detail);
        strlcpy(hint, error.hint().c_str(), sizeof hint);
    }
};

/// Called in a catch block: copies the exception in flight.
void describe_exception(Failure* failure) {
    try {
        throw;
    } catch (const PgError& e) {
        failure->postgres = e.data;
    } catch (const SqlError& e) {
        failure->set(e.sqlstate(), e);
    } catch (const InvalidArgument& e) {
        failure->set(ERRCODE_INVALID_PARAMETER_VALUE, e);
    } catch (const InvalidData& e) {
        failure->set(ERRCODE_DATA_EXCEPTION, e);
    } catch (const MemoryLimitExceeded& e) {
        failure->set(ERRCODE_PROGRAM_LIMIT_EXCEEDED, e);
    } catch (const NumericalFailure& e) {
        failure->set(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, e);
    } catch (const std::bad_alloc&) {
        failure->set(ERRCODE_OUT_OF_MEMORY, "out of memory");
    } catch (const EigenAssertion& e) {
        failure->set(ERRCODE_INTERNAL_ERROR, e.what());
        strlcpy(failure->hint, "This is a bug in mf_ext; please report it.", sizeof failure->hint);
    } catch (const std::exception& e) {
        failure->set(ERRCODE_INTERNAL_ERROR, e.what());
    } catch (...) {
        failure->set(ERRCODE_INTERNAL_ERROR, "unknown C++ exception");
    }
}

[[noreturn]] void raise_unsafe(const Failure& failure) {
    if (failure.postgres != nullptr) ReThrowError(failure.postgres);
    ereport(ERROR, (errcode(failure.sqlstate), errmsg("%s", failure.message),
                    failure.detail[0] != '\0' ? errdetail("%s", failure.detail) : 0,
                    failure.hint[0] != '\0' ? errhint("%s", failure.hint) : 0));
    pg_unreachable();
}

}  // namespace

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
