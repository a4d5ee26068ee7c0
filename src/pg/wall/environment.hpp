// What this side lends to the core for a long computation: threads, interrupts, messages.
#pragma once

#include "core/base/parallel.hpp"
#include "pg/wall/progress.hpp"

namespace mf::pg {

/// threads from the settings; cancel, timeout and the like arrive as PgError from checkpoint().
Environment quiet_environment();

/// The same for a training: each iteration is one DEBUG1 line and is shown by `progress`, which outlives the
/// environment.
Environment make_environment(Progress& progress);

/// Sends a WARNING or NOTICE; detail and hint may be empty.
void report(int level, const std::string& message, const std::string& detail = {}, const std::string& hint = {});

}  // namespace mf::pg
