// The background worker that does a job.
#include "pg/cache/model_cache.hpp"
#include "pg/jobs/job_queue.hpp"
#include "pg/jobs/job_start.hpp"
#include "pg/jobs/jobs.hpp"
#include "pg/models/model_locks.hpp"
#include "pg/models/model_rows.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/sql/json_entries.hpp"
#include "pg/training/distributed_training.hpp"
#include "pg/training/refresh.hpp"
#include "pg/training/retrain.hpp"
#include "pg/training/training.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/environment.hpp"
#include "pg/wall/guc.hpp"
#include "pg/wall/progress.hpp"

extern "C" {
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"

PGDLLEXPORT void mf_job_main(Datum argument);
}

namespace mf::pg {
namespace {

/// A transaction, which sees at each statement what has been committed, and writes, whatever the defaults of the role
/// and the database are: those are for sessions.
void start_transaction_unsafe() {
    StartTransactionCommand();
    XactIsoLevel = XACT_READ_COMMITTED;
    XactReadOnly = false;
    XactDeferrable = false;
}

/// Runs f in a transaction of its own, with a snapshot. An exception leaves the transaction to the caller.
template <class F>
void in_transaction(F&& f) {
    pg_call([] {
        start_transaction_unsafe();
        PushActiveSnapshot(GetTransactionSnapshot());
    });
    f();
    pg_call([] {
        PopActiveSnapshot();
        CommitTransactionCommand();
    });
}

/// Waits for the transaction that asked to end; without a snapshot, since that may take long.
void wait_for(TransactionId transaction) {
    if (!TransactionIdIsValid(transaction)) return;
    pg_call([transaction] {
        StartTransactionCommand();
        XactLockTableWait(transaction, nullptr, nullptr, XLTW_None);
        CommitTransactionCommand();
    });
}

void apply_settings(Jsonb* settings) {
    const UncheckedLimits unchecked;
    pg_call([settings] {
        const JsonEntries all = json_entries_unsafe(&settings->root);
        for (int i = 0; i < all.count; ++i) {
            const JsonEntry& entry = all.entries[i];
            if (entry.type != jbvString) continue;
            SetConfigOption(pnstrdup(entry.key.data(), entry.key.size()),
                            pnstrdup(entry.word.data(), entry.word.size()), PGC_USERSET, PGC_S_SESSION);
        }
    });
}

class JobRun {
  public:
    explicit JobRun(const JobOrder& order) : order_(order) {}

    void run() {
        Failure failure;
        bool failed = false;
        try {
            if (!work()) return;
        } catch (...) {
            describe_exception(&failure);
            failed = true;
        }
        release_reserved_slot();
        if (failed) fail(failure);
        ignore_cancels();
        for (std::optional<WaitingJob> next = first_behind(); next; next = first_behind()) hand_over_to(*next);
    }

  private:
    /// False if there is no job to do.
    bool work() {
        wait_for(order_.transaction);
        Job job{};
        if (!begin(&job)) return false;
        if (job.task == JobTask::Refresh)
            refresh(job);
        else
            train(job);
        share_items_of(job);
        return true;
    }

    /// Makes the items of what is live now ready to serve, so that no session has to do it for its first list. The job
    /// is done whatever comes of it.
    void share_items_of(const Job& job) const {
        try {
            in_transaction([&] {
                std::string name;
                const ModelVersion version = find_model(catalog_, job.model, &name, Access::Manage);
                share_items(catalog_, name, version);
            });
        } catch (...) {
            Failure failure;
            describe_exception(&failure);
            const std::string message = failure.postgres != nullptr ? failure.postgres->message : failure.message;
            pg_call([] { AbortOutOfAnyTransaction(); });  // frees the error
            report(LOG,
                   "the items of model \"" + std::string(job.model) + "\" were not made ready to serve: " + message);
        }
    }

    void train(const Job& job) {
        // Before there is a snapshot: another training of the model may take hours.
        pg_call([] { StartTransactionCommand(); });
        lock_model_for_session(catalog_, job.model, ModelLock::Training);
        pg_call([] { CommitTransactionCommand(); });
        wait_for_slot();

        if (is_distributed(job)) {
            train_distributed(
                catalog_, [&] { return arguments_of(job); }, [](const std::function<void()>& f) { in_transaction(f); },
                [&](const TrainingOutcome& outcome) {
                    end_job_done(catalog_, order_.job_id, outcome.version, outcome.message_or_null());
                });
            return;
        }
        std::unique_ptr<Training> training;
        in_transaction([&] { training = read(job); });
        training->train();
        in_transaction([&] {
            const TrainingOutcome outcome = training->store();
            end_job_done(catalog_, order_.job_id, outcome.version, outcome.message_or_null());
        });
    }

    void refresh(const Job& job) {
        wait_for_slot();
        in_transaction([&] {
            const auto min_interactions = at_least("min_interactions", 1, job.min_interactions);
            const RefreshOutcome outcome = refresh_items(catalog_, job.model, min_interactions);
            end_job_done(catalog_, order_.job_id, outcome.version, outcome.text().c_str());
        });
    }

    /// Waits until fewer runs are in progress than may be; without a transaction, since that may take long.
    static void wait_for_slot() {
        constexpr long kMillisecondsBetween = 100;
        while (!reserve_training_slot()) {
            pause(kMillisecondsBetween);
            pg_call([] {
                if (!ConfigReloadPending) return;
                ConfigReloadPending = false;
                ProcessConfigFile(PGC_SIGHUP);  // it may allow more runs now
            });
        }
    }

    /// False if there is no job to do, or another one of the model runs. The job is in memory that lasts.
    bool begin(Job* job) {
        in_transaction([&] {
            pg_call([this] {
                SetCurrentRoleId(order_.user, superuser_arg(order_.user));
                catalog_ = catalog_of_function_unsafe(order_.function);
                MemoryContextSwitchTo(TopMemoryContext);
            });
            const std::optional<Job> found = begin_job(catalog_, order_.job_id);
            begun_ = found.has_value();
            if (!begun_) return;
            *job = *found;
            apply_settings(job->settings);
            show_activity(*job);
        });
        return begun_;
    }

    /// With the version that a job to train again begins with.
    JobArguments arguments_of(const Job& job) const {
        if (job.task == JobTask::Train) return {check_train_arguments(job.training), std::nullopt};
        std::string name;
        const ModelVersion version = find_model(catalog_, job.model, &name, Access::Manage);
        return {retrain_arguments(name, version), version};
    }

    bool is_distributed(const Job& job) const {
        bool result = false;
        in_transaction([&] { result = arguments_of(job).training.is_distributed; });
        return result;
    }

    std::unique_ptr<Training> read(const Job& job) const {
        JobArguments arguments = arguments_of(job);
        auto training = std::make_unique<Training>(catalog_, std::move(arguments.training));
        training->read(arguments.start_from ? &*arguments.start_from : nullptr);
        return training;
    }

    void show_activity(const Job& job) const {
        const std::string text =
            "mf_ext job " + std::to_string(order_.job_id) +
            (job.task == JobTask::Refresh ? ": refreshing items of model \"" : ": training model \"") + job.model +
            "\"";
        pg_call([text = text.c_str()] { pgstat_report_activity(STATE_RUNNING, text); });
    }

    /// What was done is undone; what the job's row says is all that is left.
    void fail(const Failure& failure) {
        const ErrorData* error = failure.postgres;
        const bool cancelled = error != nullptr && error->sqlerrcode == ERRCODE_QUERY_CANCELED;
        std::string message = error != nullptr ? error->message : failure.message;
        const char* detail = error != nullptr ? error->detail : failure.detail;
        const char* hint = error != nullptr ? error->hint : failure.hint;
        if (detail != nullptr && *detail != '\0') message += std::string("\n") + detail;
        if (hint != nullptr && *hint != '\0') message += std::string("\n") + hint;
        pg_call([] { AbortOutOfAnyTransaction(); });
        ignore_cancels();
        report(LOG, "job " + std::to_string(order_.job_id) + (cancelled ? " was cancelled: " : " failed: ") + message);
        if (!begun_)
            pg_call([this] {
                StartTransactionCommand();
                catalog_ = catalog_of_function_unsafe(order_.function);
                CommitTransactionCommand();
            });
        in_transaction([&] { end_job_failed(catalog_, order_.job_id, cancelled, message.c_str()); });
    }

    /// A further cancel has nothing to cancel. It would keep the row from saying how the job ended, or the next one
    /// from being started.
    static void ignore_cancels() {
        pqsignal(SIGINT, SIG_IGN);
        QueryCancelPending = false;
    }

    std::optional<WaitingJob> first_behind() const {
        std::optional<WaitingJob> next;
        in_transaction([&] { next = job_behind(catalog_, order_.job_id); });
        return next;
    }

    /// Starts the worker of a job that waits behind this one, and stays until it has taken over those that wait with
    /// it. This process takes a worker's slot itself until then: without a further one the job fails after a while.
    void hand_over_to(const WaitingJob& next) const {
        constexpr int kAttempts = 600;
        constexpr long kMillisecondsBetween = 100;
        const JobOrder order{next.job_id, order_.database, next.session_user,
                             next.owner,  order_.function, InvalidTransactionId};
        bool started = false;
        for (int attempt = 0; attempt < kAttempts && !started; ++attempt) {
            if (attempt > 0) pause(kMillisecondsBetween);
            in_transaction([&] { started = !still_waits(next) || start_job(order); });
        }
        const char* message = "no background worker was free for the training run\nRaise max_worker_processes.";
        while (started) {
            bool lives = false;
            bool waits = false;
            in_transaction([&] {
                // In this order: its lock goes after it has begun, or has gone behind another job.
                lives = pg_call([&next] { return job_is_locked_unsafe(next.job_id); });
                waits = still_waits(next);
            });
            if (!waits) return;
            if (lives) {
                pause(1);
                continue;
            }
            message = "the background worker ended before the training began\nThe server's log says why.";
            started = false;
        }
        in_transaction([&] { end_job_failed(catalog_, next.job_id, false, message); });
    }

    bool still_waits(const WaitingJob& next) const { return waits_behind(catalog_, next.job_id, order_.job_id); }

    static void pause(long milliseconds) {
        pg_call([milliseconds] {
            WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, milliseconds, PG_WAIT_EXTENSION);
            ResetLatch(MyLatch);
            CHECK_FOR_INTERRUPTS();
        });
    }

    const JobOrder& order_;
    Catalog catalog_{};
    bool begun_ = false;
};

}  // namespace
}  // namespace mf::pg

void mf_job_main(Datum) {
    using namespace mf::pg;
    // Without pg_call: until JobRun there is nothing with a destructor here, and an error goes past this frame to the
    // handler of the server's worker code, which logs it and ends the process. mf_jobs shows such a job as failed.
    JobOrder order;
    memcpy(&order, MyBgworkerEntry->bgw_extra, sizeof order);
    pqsignal(SIGINT, StatementCancelHandler);
    pqsignal(SIGTERM, die);
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    BackgroundWorkerUnblockSignals();
    BackgroundWorkerInitializeConnectionByOid(order.database, order.session_user, 0);
    // PostgreSQL releases session locks of users only; after it has ended the transaction, before the process leaves.
    on_shmem_exit([](int, Datum) { LockReleaseAll(DEFAULT_LOCKMETHOD, true); }, Datum{0});
    // Before any wait, so that other sessions see that the job is alive.
    lock_job_unsafe(order.job_id, true);
    Failure failure;
    try {
        JobRun(order).run();
        return;
    } catch (...) {
        describe_exception(&failure);  // not even the job's row could be written
    }
    if (failure.postgres != nullptr) ReThrowError(failure.postgres);
    ereport(ERROR, (errcode(failure.sqlstate), errmsg("%s", failure.message)));
}
