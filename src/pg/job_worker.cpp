#include "pg/job_worker.hpp"

#include "pg/boundary.hpp"
#include "pg/environment.hpp"
#include "pg/jobs.hpp"
#include "pg/json_entries.hpp"
#include "pg/model_locks.hpp"
#include "pg/model_rows.hpp"
#include "pg/retrain.hpp"
#include "pg/training.hpp"

extern "C" {
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"

PGDLLEXPORT void mf_job_main(Datum argument);
}

namespace mf::pg {
namespace {

/// What a worker is told; the rest is in the job's row.
struct Order {
    std::int64_t job_id;
    Oid database;
    Oid session_user;
    Oid user;
    Oid function;
    TransactionId transaction;  ///< the one that asked
};
static_assert(sizeof(Order) <= BGW_EXTRALEN && std::is_trivially_copyable_v<Order>);

/// Runs f in a transaction of its own, with a snapshot. An exception leaves the transaction to the caller.
template <class F>
void in_transaction(F&& f) {
    pg_call([] {
        StartTransactionCommand();
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
    pg_call([transaction] {
        StartTransactionCommand();
        XactLockTableWait(transaction, nullptr, nullptr, XLTW_None);
        CommitTransactionCommand();
    });
}

void apply_settings(Jsonb* settings) {
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
    explicit JobRun(const Order& order) : order_(order) {}

    void run() {
        Failure failure;
        try {
            work();
            return;
        } catch (...) {
            describe_exception(&failure);
        }
        fail(failure);
    }

  private:
    void work() {
        wait_for(order_.transaction);
        Job job{};
        if (!begin(&job)) return;
        // Before there is a snapshot: another training of the model may take hours.
        pg_call([] { StartTransactionCommand(); });
        lock_model_for_session(catalog_, job.model, ModelLock::Training);
        pg_call([] { CommitTransactionCommand(); });

        std::unique_ptr<Training> training;
        in_transaction([&] { training = read(job); });
        training->train();
        in_transaction([&] {
            const TrainingOutcome outcome = training->store();
            end_job_done(catalog_, order_.job_id, outcome.version);
        });
    }

    /// False if there is no job to do. The job is in memory that lasts.
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
            show_activity(job->model);
        });
        return begun_;
    }

    std::unique_ptr<Training> read(const Job& job) const {
        if (!job.retrain) {
            auto training = std::make_unique<Training>(catalog_, check_train_arguments(job.training));
            training->read(nullptr);
            return training;
        }
        std::string name;
        const ModelVersion version = find_model(catalog_, job.model, &name, Access::Manage);
        auto training = std::make_unique<Training>(catalog_, retrain_arguments(name, version));
        training->read(&version);
        return training;
    }

    void show_activity(const std::string& model) const {
        const std::string text = "mf_ext job " + std::to_string(order_.job_id) + ": training model \"" + model + "\"";
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
        // A further cancel has nothing to cancel. It would keep the row from saying how the job ended.
        pqsignal(SIGINT, SIG_IGN);
        QueryCancelPending = false;
        report(LOG, "job " + std::to_string(order_.job_id) + (cancelled ? " was cancelled: " : " failed: ") + message);
        if (!begun_)
            pg_call([this] {
                StartTransactionCommand();
                catalog_ = catalog_of_function_unsafe(order_.function);
                CommitTransactionCommand();
            });
        in_transaction([&] { end_job_failed(catalog_, order_.job_id, cancelled, message.c_str()); });
    }

    const Order& order_;
    Catalog catalog_{};
    bool begun_ = false;
};

}  // namespace

void start_worker(std::int64_t job_id, Oid function) {
    const bool started = pg_call([job_id, function] {
        const Order order{job_id, MyDatabaseId, GetSessionUserId(), GetUserId(), function, GetTopTransactionId()};
        BackgroundWorker worker{};
        worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
        worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
        worker.bgw_restart_time = BGW_NEVER_RESTART;
        strlcpy(worker.bgw_library_name, "mf_ext", sizeof worker.bgw_library_name);
        strlcpy(worker.bgw_function_name, "mf_job_main", sizeof worker.bgw_function_name);
        ::snprintf(worker.bgw_name, sizeof worker.bgw_name, "mf_ext job %ld", static_cast<long>(job_id));
        strlcpy(worker.bgw_type, "mf_ext job", sizeof worker.bgw_type);
        memcpy(worker.bgw_extra, &order, sizeof order);
        return RegisterDynamicBackgroundWorker(&worker, nullptr);
    });
    if (!started)
        throw SqlError(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, "no background worker is free for the training", "",
                       "Wait for other jobs to end, or raise max_worker_processes.");
}

}  // namespace mf::pg

void mf_job_main(Datum) {
    using namespace mf::pg;
    // Without pg_call: until JobRun there is nothing with a destructor here, and an error goes past this frame to the
    // handler of the server's worker code, which logs it and ends the process. mf_jobs shows such a job as failed.
    Order order;
    memcpy(&order, MyBgworkerEntry->bgw_extra, sizeof order);
    pqsignal(SIGINT, StatementCancelHandler);
    pqsignal(SIGTERM, die);
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    BackgroundWorkerUnblockSignals();
    BackgroundWorkerInitializeConnectionByOid(order.database, order.session_user, 0);
    // PostgreSQL releases session locks of users only; after it has ended the transaction, before the process leaves.
    on_shmem_exit([](int, Datum) { LockReleaseAll(DEFAULT_LOCKMETHOD, true); }, Datum{0});
    // Before it waits for anything: who looks at the job shall see that it lives.
    lock_job_unsafe(order.job_id);
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
