// Jobs of one model in turn. One of them runs; the worker of another finds that, leaves its job in the table as one
// that waits `behind` the running one, and ends, so that only running jobs take worker slots. Whoever runs looks for
// those behind it when it has ended and starts their workers, until one of them has taken over the rest.
//
// All of that is decided under one lock a database, held for moments. What a crash leaves is told by the locks of the
// workers (jobs.hpp): a job is lost if neither its own worker nor that of the job before it is there.
#pragma once

#include "pg/sql/catalog.hpp"
#include "pg/training/train_arguments.hpp"

namespace mf::pg {

enum class JobTask {
    Train,
    Retrain,  ///< with the arguments of the live version
    Refresh,  ///< the items of the live version
};

/// What a worker reads of its job. Pointers are into the memory context that was current.
struct Job {
    const char* model;
    JobTask task;
    RawTrainArguments training;     ///< of Train
    std::int64_t min_interactions;  ///< of Refresh
    Jsonb* settings;                ///< of the session that asked
};

/// Makes a queued job the running one of its model, with this process as its worker; it takes over the jobs behind the
/// one it was behind itself. Nothing if another job of the model runs, behind which it is put then, or if it is not
/// there, as after a rollback, or not queued any more. Until the transaction ends no other job begins or ends.
std::optional<Job> begin_job(const Catalog& catalog, std::int64_t job_id);

/// How a job ended: done with a version, or not, unless it has ended by then. The same lock. A null message is none.
void end_job_done(const Catalog& catalog, std::int64_t job_id, std::int32_t version, const char* message);
void end_job_failed(const Catalog& catalog, std::int64_t job_id, bool cancelled, const char* message);

/// A job that waits, and as whom its worker connects.
struct WaitingJob {
    std::int64_t job_id;
    Oid session_user;
    Oid owner;
};

/// The first job behind one that has ended, nothing if none is.
std::optional<WaitingJob> job_behind(const Catalog& catalog, std::int64_t job_id);

/// True if that job still waits behind the other.
bool waits_behind(const Catalog& catalog, std::int64_t waiting, std::int64_t job_id);

}  // namespace mf::pg
