// The progress of training runs: in shared memory for other sessions, at DEBUG1 for the log.
#pragma once

#include "core/base/parallel.hpp"
#include "pg/wall/guard.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {

/// One training run as other sessions see it.
struct ProgressEntry {
    int pid = 0;  ///< 0: the slot is free
    Oid database = InvalidOid;
    Oid owner = InvalidOid;  ///< owner of the model
    char model[256] = "";
    char phase[24] = "";
    int iterations_done = 0;   ///< in this phase
    int iterations_total = 0;  ///< in this phase; 0: it has none
    double loss = 0;           ///< NaN: not known yet
    std::int64_t rows_read = 0;
    double read_seconds = 0;  ///< from the start to the last row counted
    TimestampTz started = 0;
    TimestampTz ends = 0;  ///< expected end of the last iteration; 0: not known yet
};

/// Number of training runs at the same time.
constexpr int kProgressSlots = kMostTrainings;

/// Takes a slot for the next training run of this session, unless mf_ext.max_trainings of them are taken. The run is
/// shown once it has begun.
bool reserve_training_slot();
/// Gives it back, if no run has taken it.
void release_reserved_slot();

/// The entry of a training run, from construction to destruction, and the times of its phases.
class Progress {
  public:
    /// Takes a slot, or the one that is reserved. Throws configuration_limit_exceeded if mf_ext.max_trainings runs are
    /// in progress in the server. A run inside another one, started by code in its source, counts as part of that.
    Progress(const std::string& model, Oid owner);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// Begins a phase, and ends the previous one with a line at DEBUG1. A null name ends the last phase.
    void phase(const char* name);

    void rows_read(std::uint64_t rows);

    /// Sets the greatest number of iterations of all trainers together.
    void plan(int iterations) { planned_ = iterations; }

    /// Receive a trainer's reports: the planned iterations, and the result of an iteration. Those of a search have no
    /// total and are counted alone.
    void factors(const char* name, int iterations);
    void iteration(const Iteration& iteration);

    /// After plan() and factors(), of a run that goes on: iterations of this phase, and of all, that were done before.
    void resume(int iterations, int all);

  private:
    struct Clocks {
        double wall;
        double cpu;
    };
    static Clocks now();
    void show() const;
    void log_phase() const;

    int slot_ = -1;
    int planned_ = 0;
    int done_ = 0;
    const char* phase_ = nullptr;
    Clocks phase_start_{};
    ProgressEntry entry_;
};

/// Copies the entries of runs in all databases to `entries`, which has kProgressSlots elements. Returns how many there
/// are.
int read_progress_unsafe(ProgressEntry* entries);

}  // namespace mf::pg
