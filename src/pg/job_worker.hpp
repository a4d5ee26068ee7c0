// The background worker that does a job.
#pragma once

#include "pg/guard.hpp"

namespace mf::pg {

/// Starts a worker for a job that the current transaction has added; it begins when that has committed. It runs in this
/// database as the session's user with the current user's rights. `function` is any of the extension. Throws
/// configuration_limit_exceeded if no worker is free.
void start_worker(std::int64_t job_id, Oid function);

}  // namespace mf::pg
