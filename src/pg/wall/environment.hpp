// What the PostgreSQL side provides to the core for a long computation: threads, interrupts, messages.
#pragma once

#include "core/base/parallel.hpp"
#include "pg/wall/progress.hpp"

namespace mf::pg {

/// The number of threads comes from the settings; checkpoint() throws a PgError on cancel, timeout and the like.
Environment quiet_environment();

/// The same for a training run: each iteration writes one DEBUG1 line and is shown by `progress`, which must outlive
/// the environment.
Environment make_environment(Progress& progress);

/// Sends a WARNING or NOTICE; detail and hint may be empty.
void report(int level, const std::string& message, const std::string& detail = {}, const std::string& hint = {});

}  // namespace mf::pg
