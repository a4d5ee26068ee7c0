#include "pg/jobs/job_start.hpp"

#include "pg/jobs/jobs.hpp"

extern "C" {
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/latch.h"
#include "utils/timestamp.h"
}

namespace mf::pg {
namespace {

static_assert(sizeof(JobOrder) <= BGW_EXTRALEN && std::is_trivially_copyable_v<JobOrder>);

/// A job that this transaction has added, and what becomes of it.
struct AddedJob {
    JobOrder order;
    SubTransactionId subtransaction;
    BackgroundWorkerHandle* worker;
};

/// Of AddedJob, in the memory of the transaction.
List* added_jobs = NIL;

void pause_unsafe(long milliseconds) {
    WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, milliseconds, PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
}

/// Null if no worker is free.
BackgroundWorkerHandle* register_worker_unsafe(const JobOrder& order) {
    BackgroundWorker worker{};
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
    worker.bgw_restart_time = BGW_NEVER_RESTART;
    strlcpy(worker.bgw_library_name, "mf_ext", sizeof worker.bgw_library_name);
    strlcpy(worker.bgw_function_name, "mf_job_main", sizeof worker.bgw_function_name);
    ::snprintf(worker.bgw_name, sizeof worker.bgw_name, "mf_ext job %ld", static_cast<long>(order.job_id));
    strlcpy(worker.bgw_type, "mf_ext job", sizeof worker.bgw_type);
    memcpy(worker.bgw_extra, &order, sizeof order);
    BackgroundWorkerHandle* handle = nullptr;
    return RegisterDynamicBackgroundWorker(&worker, &handle) ? handle : nullptr;
}

/// Until the worker shows that it lives. False if it ended before that was seen, which it may have done with its job.
bool wait_for_worker_unsafe(const JobOrder& order, BackgroundWorkerHandle* worker) {
    constexpr long kMilliseconds = 2;
    for (;;) {
        if (job_is_locked_unsafe(order.job_id)) return true;
        pid_t pid;
        if (GetBackgroundWorkerPid(worker, &pid) == BGWH_STOPPED) return false;
        pause_unsafe(kMilliseconds);
    }
}

/// The same, after a wait if no worker is free at once: workers that have ended, and those of jobs that only find that
/// they have to wait, hold their slots for moments.
BackgroundWorkerHandle* wait_for_slot_unsafe(const JobOrder& order) {
    constexpr int kSeconds = 3;
    constexpr long kMilliseconds = 10;
    const TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kSeconds * 1000);
    for (;;) {
        BackgroundWorkerHandle* worker = register_worker_unsafe(order);
        if (worker != nullptr || GetCurrentTimestamp() >= end) return worker;
        pause_unsafe(kMilliseconds);
    }
}

/// The last moment at which the transaction can fail. The workers wait for it to end before they look for their jobs.
void start_added_jobs_unsafe() {
    for (int i = 0; i < list_length(added_jobs); ++i) {
        auto* job = static_cast<AddedJob*>(list_nth(added_jobs, i));
        job->worker = wait_for_slot_unsafe(job->order);
        if (job->worker == nullptr)
            ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
                            errmsg("no background worker is free for the training run"),
                            errhint("Wait for other jobs to end, or raise max_worker_processes.")));
    }
    for (int i = 0; i < list_length(added_jobs); ++i) {
        const auto* job = static_cast<AddedJob*>(list_nth(added_jobs, i));
        if (!wait_for_worker_unsafe(job->order, job->worker))
            ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
                            errmsg("the background worker ended before the training run began"),
                            errhint("The server's log says why.")));
    }
}

void at_transaction_end(XactEvent event, void*) {
    if (added_jobs == NIL) return;
    switch (event) {
        case XACT_EVENT_PRE_COMMIT:
            start_added_jobs_unsafe();
            break;
        case XACT_EVENT_PRE_PREPARE:
            ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                            errmsg("cannot PREPARE a transaction that has requested a background training run")));
            break;
        case XACT_EVENT_COMMIT:
        case XACT_EVENT_ABORT:
            added_jobs = NIL;
            break;
        default:
            break;
    }
}

void at_subtransaction_end(SubXactEvent event, SubTransactionId ended, SubTransactionId parent, void*) {
    if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB) return;
    for (int i = list_length(added_jobs) - 1; i >= 0; --i) {
        auto* job = static_cast<AddedJob*>(list_nth(added_jobs, i));
        if (job->subtransaction != ended) continue;
        if (event == SUBXACT_EVENT_COMMIT_SUB)
            job->subtransaction = parent;
        else
            added_jobs = list_delete_nth_cell(added_jobs, i);
    }
}

}  // namespace

void start_job_at_commit(std::int64_t job_id, Oid function) {
    pg_call([job_id, function] {
        static bool registered = false;
        if (!registered) {
            RegisterXactCallback(at_transaction_end, nullptr);
            RegisterSubXactCallback(at_subtransaction_end, nullptr);
            registered = true;
        }
        MemoryContext saved = MemoryContextSwitchTo(TopTransactionContext);
        auto* job = static_cast<AddedJob*>(palloc0(sizeof(AddedJob)));
        job->order = {job_id, MyDatabaseId, GetSessionUserId(), GetUserId(), function, GetTopTransactionId()};
        job->subtransaction = GetCurrentSubTransactionId();
        added_jobs = lappend(added_jobs, job);
        MemoryContextSwitchTo(saved);
    });
}

bool start_job(const JobOrder& order) {
    return pg_call([&order] {
        BackgroundWorkerHandle* worker = register_worker_unsafe(order);
        if (worker != nullptr) wait_for_worker_unsafe(order, worker);
        return worker != nullptr;
    });
}

}  // namespace mf::pg
