// The wall, seen from C++: how code with destructors calls PostgreSQL code that may longjmp.
#pragma once

#include "pg/wall/compat.hpp"

namespace mf::pg {

/// A PostgreSQL error that propagates through C++ frames, complete with SQLSTATE, detail, hint and context;
/// boundary.cpp rethrows it. `data` lives until the current subtransaction ends, whatever contexts those frames delete.
struct PgError {
    ErrorData* data;
};

/// The context in which propagating errors are kept. Not the context that is current at the pg_call: that may belong to
/// a frame that is left before the error is rethrown. The rethrown error ends the subtransaction, and with it this
/// context; outside any transaction nothing ends, so the error stays in TopMemoryContext.
inline MemoryContext error_context() {
    return CurTransactionContext != nullptr ? CurTransactionContext : TopMemoryContext;
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
// `result` is written before the longjmp, or not read at all.
#pragma GCC diagnostic ignored "-Wclobbered"
#endif

/// Runs f, in which PostgreSQL may raise an error, and throws the error as a PgError. This is the only PG_TRY of the
/// project. f holds and creates only trivially destructible state, since a longjmp would skip destructors, and throws
/// no C++ exception itself, since that would leave PostgreSQL's exception stack dangling.
template <class F>
auto pg_call(F&& f) -> decltype(f()) {
    using Result = decltype(f());
    static_assert(std::is_trivially_destructible_v<std::decay_t<F>>, "longjmp would skip the destructor");
    static_assert(std::is_void_v<Result> || std::is_trivially_copyable_v<Result>, "longjmp would skip the destructor");
    std::conditional_t<std::is_void_v<Result>, char, Result> result{};
    MemoryContext caller = CurrentMemoryContext;
    ErrorData* volatile error = nullptr;
    PG_TRY();
    {
        if constexpr (std::is_void_v<Result>)
            f();
        else
            result = f();
    }
    PG_CATCH();
    {
        MemoryContextSwitchTo(error_context());
        error = CopyErrorData();
        MemoryContextSwitchTo(caller);
        FlushErrorState();
        // The end of the transaction would do this too, but later: destructors that run before it may take the same
        // locks. No lock is held across a pg_call, so these locks are f's own.
        LWLockReleaseAll();
    }
    PG_END_TRY();
    if (error != nullptr) throw PgError{error};
    if constexpr (!std::is_void_v<Result>) return result;
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// A C++ error with an SQLSTATE, for faults found on this side of the wall. The message is in lower case without full
/// stop; detail and hint are full sentences or empty.
class SqlError : public std::exception {
  public:
    SqlError(int sqlstate, std::string message, std::string detail = {}, std::string hint = {})
        : sqlstate_(sqlstate), message_(std::move(message)), detail_(std::move(detail)), hint_(std::move(hint)) {}
    const char* what() const noexcept override { return message_.c_str(); }
    int sqlstate() const { return sqlstate_; }
    const std::string& detail() const { return detail_; }
    const std::string& hint() const { return hint_; }

  private:
    int sqlstate_;
    std::string message_;
    std::string detail_;
    std::string hint_;
};

/// Keeps the first exception of code that PostgreSQL calls back (a DestReceiver, a loop inside a pg_call) until the
/// PostgreSQL frames that called it have returned.
class ExceptionHolder {
  public:
    /// Runs f; true if it did not throw. After a failure f is not run again.
    template <class F>
    bool run(F&& f) noexcept {
        if (exception_) return false;
        try {
            f();
            return true;
        } catch (...) {
            exception_ = std::current_exception();
            return false;
        }
    }
    void rethrow() const {
        if (exception_) std::rethrow_exception(exception_);
    }

  private:
    std::exception_ptr exception_;
};

}  // namespace mf::pg
