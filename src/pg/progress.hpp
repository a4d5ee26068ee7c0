// What trainings under way have reached, in shared memory, for other sessions to see.
#pragma once

#include "core/parallel.hpp"
#include "pg/guard.hpp"

namespace mf::pg {

/// One training as others see it.
struct TrainingProgress {
    int pid;
    Oid database;
    Oid role;
    char model[256];
    char phase[24];
    int iteration;           // of the phase; 0: none complete yet
    int iterations;          // the phase's total; 0: the phase has no iterations
    int done;                // iterations of all phases
    int planned;
    double loss;             // NaN: not known yet
    std::int64_t rows_read;
    double read_seconds;     // from the start to the last row read
    TimestampTz started;
    TimestampTz iterating_since;  // 0: not yet
};

/// This session's entry from construction to destruction. If all places are taken the training goes on unseen.
class ProgressReport {
  public:
    ProgressReport(const std::string& model, int planned_iterations);
    ~ProgressReport();
    ProgressReport(const ProgressReport&) = delete;
    ProgressReport& operator=(const ProgressReport&) = delete;

    /// Names what the session does now; the phase of iteration() is set by itself.
    void phase(const char* name);
    void start_iterations();
    void rows_read(std::uint64_t rows);
    void iteration(const Iteration& iteration);

  private:
    int place_ = -1;
    TrainingProgress current_{};
    void store() const;
};

/// Copies the entries of living sessions of all databases; at most `room`. Returns how many.
int read_progress_unsafe(TrainingProgress* entries, int room);

/// Places there are.
constexpr int kProgressPlaces = 64;

}  // namespace mf::pg
