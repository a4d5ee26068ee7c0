// Training runs and refreshes by background workers, seen from the sessions that ask for them (job_queue.hpp: from the
// workers).
#pragma once

#include "pg/sql/catalog.hpp"
#include "pg/training/train_arguments.hpp"

namespace mf::pg {

/// Adds a queued job of the current user, with the settings of the session, and deletes old ones of the same model.
/// Returns its number. The arguments are those of mf_train, as they came and as they were checked.
std::int64_t add_training_job(const Catalog& catalog, const TrainArguments& checked, FunctionCallInfo arguments);
std::int64_t add_retraining_job(const Catalog& catalog, const std::string& model, Oid source);
std::int64_t add_refresh_job(const Catalog& catalog, const std::string& model, Oid source,
                             std::uint32_t min_interactions);

/// The lock that the worker of a job holds as long as it lives: for_session. That of number 0, which no job has, is the
/// queue's (job_queue.cpp).
void lock_job_unsafe(std::int64_t job_id, bool for_session);
bool job_is_locked_unsafe(std::int64_t job_id);

/// False if an unfinished job has lost its worker, or the job that it waits for has: it will never run. Looks
/// at what has been committed by now, since a job that an older snapshot shows may have ended.
bool job_is_alive_unsafe(const Catalog& catalog, std::int64_t job_id);

/// Cancels a queued job for good, or tells the worker of a running one. False if it had ended. Throws undefined_object,
/// or insufficient_privilege if the caller lacks the privileges of the role that asked for it.
bool cancel_job(const Catalog& catalog, std::int64_t job_id);

}  // namespace mf::pg
