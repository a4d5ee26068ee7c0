// A step that may fail without the rest of its transaction.
#pragma once

#include "pg/wall/guard.hpp"

namespace mf::pg {

/// A subtransaction. To be ended by one of its two functions.
class Subtransaction {
  public:
    Subtransaction();
    Subtransaction(const Subtransaction&) = delete;
    Subtransaction& operator=(const Subtransaction&) = delete;

    void commit();

    /// If it was a PostgreSQL error, it is kept in the transaction around and returned.
    ErrorData* roll_back(const ErrorData* error = nullptr);

  private:
    void return_to_caller();

    MemoryContext errors_ = error_context();
    MemoryContext context_ = CurrentMemoryContext;
    ResourceOwner owner_ = CurrentResourceOwner;
};

/// Runs f in a subtransaction. An exception rolls it back before it is thrown on.
template <class F>
void in_subtransaction(const F& f) {
    Subtransaction subtransaction;
    try {
        f();
    } catch (const PgError& error) {
        throw PgError{subtransaction.roll_back(error.data)};
    } catch (...) {
        subtransaction.roll_back();
        throw;
    }
    subtransaction.commit();
}

}  // namespace mf::pg
