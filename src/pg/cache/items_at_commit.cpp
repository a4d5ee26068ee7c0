#include "pg/cache/items_at_commit.hpp"

extern "C" {
#include "access/xact.h"
}

namespace mf::pg {
namespace {

/// True from publish_at_commit_unsafe() until the end of that transaction.
bool is_kept = false;

void drop_unsafe() {
    if (!is_kept) return;
    is_kept = false;
    abandon_slot_unsafe();
}

void at_transaction_end(XactEvent event, void*) {
    switch (event) {
        case XACT_EVENT_COMMIT:  // an error would crash the server now: nothing here raises one
            if (is_kept) publish_kept_slot();
            is_kept = false;
            break;
        case XACT_EVENT_ABORT:
        case XACT_EVENT_PREPARE:  // another session may commit it, or none
            drop_unsafe();
            break;
        default:
            break;
    }
}

/// Whether it was this subtransaction that trained is not worth a record.
void at_subtransaction_end(SubXactEvent event, SubTransactionId, SubTransactionId, void*) {
    if (event == SUBXACT_EVENT_ABORT_SUB) drop_unsafe();
}

}  // namespace

void publish_at_commit_unsafe(int slot, dsm_segment* segment) {
    static bool registered = false;
    if (!registered) {
        RegisterXactCallback(at_transaction_end, nullptr);
        RegisterSubXactCallback(at_subtransaction_end, nullptr);
    }
    registered = true;
    keep_slot_unsafe(slot, segment);
    is_kept = true;
}

}  // namespace mf::pg
