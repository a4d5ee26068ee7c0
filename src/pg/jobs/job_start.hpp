// How the worker of a job is started: when the transaction that asked for it commits, or by the job before it.
#pragma once

#include "pg/wall/guard.hpp"

namespace mf::pg {

/// What a worker is told; the rest is in the job's row.
struct JobOrder {
    std::int64_t job_id;
    Oid database;
    Oid session_user;
    Oid user;
    Oid function;               ///< any of the extension
    TransactionId transaction;  ///< the one that asked; invalid if it has committed
};

/// Has the worker of a job, which this transaction has added, started when it commits, in this database as the
/// session's user with the current user's rights. The commit fails with configuration_limit_exceeded if no worker is
/// free, and PREPARE TRANSACTION with feature_not_supported. A job that is rolled back to a savepoint is forgotten.
void start_job_at_commit(std::int64_t job_id, Oid function);

/// Starts the worker now, and waits until it holds the lock of its job or has ended. False if none is free. In a
/// transaction.
bool start_job(const JobOrder& order);

}  // namespace mf::pg
