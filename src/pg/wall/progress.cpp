#include "pg/wall/progress.hpp"

#include <time.h>

#include <limits>

#include "pg/wall/clipped.hpp"
#include "pg/wall/shared_memory.hpp"

extern "C" {
#include "storage/ipc.h"
#include "storage/spin.h"
}

namespace mf::pg {
namespace {

struct SharedProgress {
    slock_t mutex;
    ProgressEntry slots[kProgressSlots];
};

SharedProgress* shared = nullptr;
int own_slot = -1;         // global, so that a session that is terminated while it trains can free the slot
bool is_reserved = false;  // the slot is for the next run

void attach_unsafe() {
    if (shared != nullptr) return;
    shared =
        static_cast<SharedProgress*>(shared_struct_unsafe("mf_ext progress", sizeof(SharedProgress), [](void* memory) {
            SpinLockInit(&static_cast<SharedProgress*>(memory)->mutex);
        }));
}

void release_own_slot() {
    if (own_slot < 0) return;
    SpinLockAcquire(&shared->mutex);
    shared->slots[own_slot].pid = 0;
    SpinLockRelease(&shared->mutex);
    own_slot = -1;
    is_reserved = false;
}

/// Takes a slot; false if as many are taken as may be.
bool claim_unsafe(int most) {
    static bool registered = false;
    attach_unsafe();
    if (!registered) before_shmem_exit([](int, Datum) { release_own_slot(); }, Datum{0});
    registered = true;
    int taken = 0, free = -1;
    SpinLockAcquire(&shared->mutex);
    for (int i = 0; i < kProgressSlots; ++i) {
        if (shared->slots[i].pid != 0)
            ++taken;
        else
            free = i;
    }
    if (taken < most && free >= 0) {
        shared->slots[free] = {};
        shared->slots[free].pid = MyProcPid;
        own_slot = free;
    }
    SpinLockRelease(&shared->mutex);
    return own_slot >= 0;
}

/// The slot for a run; -1 inside another run, which has it.
int slot_of_run() {
    if (is_reserved) {
        is_reserved = false;
        return own_slot;
    }
    if (own_slot >= 0) return -1;
    const int most = setting_max_trainings();
    if (pg_call([most] { return claim_unsafe(most); })) return own_slot;
    throw SqlError(
        ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
        "the server is busy with " + std::to_string(most) + " training runs, the most that may run at a time",
        "mf_progress shows those of this database.",
        "Try again when one has ended, or start a job with mf_train_async, which waits for its turn; or raise "
        "mf_ext.max_trainings.");
}

double seconds(clockid_t clock) {
    timespec time;
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

Progress::Clocks Progress::now() { return {seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)}; }

bool reserve_training_slot() {
    const int most = setting_max_trainings();
    is_reserved = pg_call([most] { return claim_unsafe(most); });
    return is_reserved;
}

void release_reserved_slot() {
    if (is_reserved) release_own_slot();
}

Progress::Progress(const std::string& model, Oid owner) : slot_(slot_of_run()) {
    entry_.pid = MyProcPid;
    entry_.database = MyDatabaseId;
    entry_.owner = owner;
    copy_clipped(entry_.model, model);
    entry_.loss = std::numeric_limits<double>::quiet_NaN();
    entry_.started = GetCurrentTimestamp();
}

Progress::~Progress() {
    if (slot_ >= 0) release_own_slot();
}

void Progress::show() const {
    if (slot_ < 0) return;
    SpinLockAcquire(&shared->mutex);
    shared->slots[slot_] = entry_;
    SpinLockRelease(&shared->mutex);
}

void Progress::log_phase() const {
    const Clocks end = now();
    pg_call([name = phase_, wall = end.wall - phase_start_.wall, cpu = end.cpu - phase_start_.cpu] {
        ereport(DEBUG1, (errmsg_internal("mf_train phase %s: %.3f s, %.3f s CPU", name, wall, cpu)));
    });
}

void Progress::phase(const char* name) {
    if (phase_ != nullptr) log_phase();
    phase_ = name;
    if (name == nullptr) return;
    phase_start_ = now();
    strlcpy(entry_.phase, name, sizeof entry_.phase);
    entry_.iterations_done = entry_.iterations_total = 0;
    show();
}

void Progress::rows_read(std::uint64_t rows) {
    entry_.rows_read = static_cast<std::int64_t>(rows);
    entry_.read_seconds = now().wall - phase_start_.wall;
    show();
}

void Progress::factors(const char* name, int iterations) {
    strlcpy(entry_.phase, name, sizeof entry_.phase);
    entry_.iterations_done = 0;
    entry_.iterations_total = iterations;
    entry_.loss = std::numeric_limits<double>::quiet_NaN();
    show();
}

void Progress::resume(int iterations, int all) {
    entry_.iterations_done = iterations;
    planned_ -= all;
    show();
}

void Progress::iteration(const Iteration& iteration) {
    entry_.iterations_done = iteration.iteration;
    if (iteration.total == 0) return show();  // nobody knows how many there will be
    ++done_;
    entry_.loss = iteration.loss;
    // Iterations of different trainers count the same: their durations differ by less than a factor of two.
    const double each = (now().wall - phase_start_.wall) / done_;
    const int left = planned_ > done_ ? planned_ - done_ : 0;
    entry_.ends = GetCurrentTimestamp() + static_cast<TimestampTz>(each * left * USECS_PER_SEC);
    show();
}

int read_progress_unsafe(ProgressEntry* entries) {
    attach_unsafe();
    int count = 0;
    SpinLockAcquire(&shared->mutex);
    for (const ProgressEntry& place : shared->slots)
        if (place.pid != 0 && place.phase[0] != '\0') entries[count++] = place;
    SpinLockRelease(&shared->mutex);
    return count;
}

}  // namespace mf::pg
