// What trainings under way have reached: in shared memory for other sessions, at DEBUG1 for the log.
#pragma once

#include "core/base/parallel.hpp"
#include "pg/wall/guard.hpp"

namespace mf::pg {

/// One training as other sessions see it.
struct ProgressEntry {
    int pid = 0;  ///< 0: a free place
    Oid database = InvalidOid;
    Oid owner = InvalidOid;  ///< of the model
    char model[256] = "";
    char phase[24] = "";
    int iterations_done = 0;   ///< of the phase
    int iterations_total = 0;  ///< of the phase; 0: it has none
    double loss = 0;           ///< NaN: not known yet
    std::int64_t rows_read = 0;
    double read_seconds = 0;  ///< from the start to the last row counted
    TimestampTz started = 0;
    TimestampTz ends = 0;  ///< expected end of the last iteration; 0: not known yet
};

/// Trainings that can be seen at a time; a further one goes on unseen.
constexpr int kProgressPlaces = 32;

/// A training's entry, from construction to destruction, and its phases' times.
class Progress {
  public:
    Progress(const std::string& model, Oid owner);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// Begins a phase and ends the one before with a line at DEBUG1. A null name ends the last one.
    void phase(const char* name);

    void rows_read(std::uint64_t rows);

    /// Iterations of all trainers together, at most.
    void plan(int iterations) { planned_ = iterations; }

    /// Takes a trainer's reports: what it will do, and what an iteration has reached.
    void factors(const char* name, int iterations);
    void iteration(const Iteration& iteration);

  private:
    struct Clocks {
        double wall;
        double cpu;
    };
    static Clocks now();
    void show() const;
    void log_phase() const;

    int place_ = -1;
    int planned_ = 0;
    int done_ = 0;
    const char* phase_ = nullptr;
    Clocks phase_start_{};
    ProgressEntry entry_;
};

/// Copies the entries of all databases to `entries`, which has kProgressPlaces. Returns how many.
int read_progress_unsafe(ProgressEntry* entries);

}  // namespace mf::pg
