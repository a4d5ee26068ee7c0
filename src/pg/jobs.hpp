// Rows of the job table: trainings that a background worker does.
#pragma once

#include "pg/catalog.hpp"
#include "pg/train_arguments.hpp"

namespace mf::pg {

/// What a worker reads of its job. Pointers are into the memory context that was current.
struct Job {
    const char* model;
    bool retrain;                ///< with the arguments of the live version
    RawTrainArguments training;  ///< else these
    Jsonb* settings;             ///< of the session that asked
};

/// Adds a queued job of the current user, with the settings of the session, and deletes old ones of the same model.
/// Null arguments: training again. Returns its number.
std::int64_t add_job(const Catalog& catalog, const char* model, Oid source, FunctionCallInfo arguments);

/// Makes a queued job a running one of this process. Nothing if it is not there, as after a rollback, or not queued any
/// more.
std::optional<Job> begin_job(const Catalog& catalog, std::int64_t job_id);

/// How a job ended: done with a version, or not.
void end_job_done(const Catalog& catalog, std::int64_t job_id, std::int32_t version);
void end_job_failed(const Catalog& catalog, std::int64_t job_id, bool cancelled, const char* message);

/// The lock that the worker of a job holds as long as it lives.
void lock_job_unsafe(std::int64_t job_id);
bool job_is_locked_unsafe(std::int64_t job_id);

/// Cancels a queued job for good, or tells the worker of a running one. False if it had ended. Throws undefined_object,
/// or insufficient_privilege if the caller lacks the privileges of the role that asked for it.
bool cancel_job(const Catalog& catalog, std::int64_t job_id);

}  // namespace mf::pg
