#include "pg/sql/subtransaction.hpp"

extern "C" {
#include "access/xact.h"
#include "utils/resowner.h"
}

namespace mf::pg {
namespace {

/// CopyErrorData() of an error that is not being raised.
ErrorData* copy_unsafe(const ErrorData* error, MemoryContext context) {
    MemoryContext caller = MemoryContextSwitchTo(context);
    auto* copy = static_cast<ErrorData*>(palloc(sizeof(ErrorData)));
    *copy = *error;
    for (char** text : {&copy->message, &copy->detail, &copy->detail_log, &copy->hint, &copy->context, &copy->backtrace,
                        &copy->schema_name, &copy->table_name, &copy->column_name, &copy->datatype_name,
                        &copy->constraint_name, &copy->internalquery})
        if (*text != nullptr) *text = pstrdup(*text);
    // Those of an error that was copied before are copies, too.
    for (const char** text :
         {&copy->filename, &copy->funcname, &copy->domain, &copy->context_domain, &copy->message_id})
        if (*text != nullptr) *text = pstrdup(*text);
    copy->assoc_context = context;
    MemoryContextSwitchTo(caller);
    return copy;
}

}  // namespace

Subtransaction::Subtransaction() {
    pg_call([] { BeginInternalSubTransaction(nullptr); });
    MemoryContextSwitchTo(context_);
}

void Subtransaction::return_to_caller() {
    MemoryContextSwitchTo(context_);
    CurrentResourceOwner = owner_;
}

void Subtransaction::commit() {
    pg_call([] { ReleaseCurrentSubTransaction(); });
    return_to_caller();
}

ErrorData* Subtransaction::roll_back(const ErrorData* error) {
    ErrorData* kept = pg_call([error, errors = errors_] {
        ErrorData* copy = error != nullptr ? copy_unsafe(error, errors) : nullptr;
        RollbackAndReleaseCurrentSubTransaction();
        return copy;
    });
    return_to_caller();
    return kept;
}

}  // namespace mf::pg
