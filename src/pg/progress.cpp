#include "pg/progress.hpp"

extern "C" {
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "storage/spin.h"
}

namespace mf::pg {
namespace {

/// A few kilobytes from the slack of the main shared memory segment, made by whoever comes first: so the library need
/// not be preloaded.
struct SharedProgress {
    slock_t mutex;
    TrainingProgress places[kProgressPlaces];  // pid 0: free
};

SharedProgress* shared = nullptr;
int own_place = -1;  // for the exit of a session that is terminated while it trains

void attach_unsafe() {
    if (shared != nullptr) return;
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    bool found;
    auto* memory = static_cast<SharedProgress*>(ShmemInitStruct("mf_ext progress", sizeof(SharedProgress), &found));
    if (!found) {
        memset(memory, 0, sizeof(SharedProgress));
        SpinLockInit(&memory->mutex);
    }
    LWLockRelease(AddinShmemInitLock);
    shared = memory;
}

void release(int place) {
    if (place < 0) return;
    SpinLockAcquire(&shared->mutex);
    shared->places[place].pid = 0;
    SpinLockRelease(&shared->mutex);
    own_place = -1;
}

void release_at_exit(int, Datum) { release(own_place); }

int claim_unsafe(const TrainingProgress& first) {
    static bool registered = false;
    attach_unsafe();
    if (!registered) before_shmem_exit(release_at_exit, Datum{0});
    registered = true;
    int claimed = -1;
    SpinLockAcquire(&shared->mutex);
    for (int i = 0; i < kProgressPlaces && claimed < 0; ++i) {
        if (shared->places[i].pid != 0) continue;
        shared->places[i] = first;
        claimed = i;
    }
    SpinLockRelease(&shared->mutex);
    own_place = claimed;
    return claimed;
}

}  // namespace

ProgressReport::ProgressReport(const std::string& model, int planned_iterations) {
    current_.pid = MyProcPid;
    current_.database = MyDatabaseId;
    current_.role = GetUserId();
    strlcpy(current_.model, model.c_str(), sizeof current_.model);
    strlcpy(current_.phase, "starting", sizeof current_.phase);
    current_.loss = std::numeric_limits<double>::quiet_NaN();
    current_.planned = planned_iterations;
    current_.started = GetCurrentTimestamp();
    // A training inside a training (a source that trains) leaves the place to the outer one.
    if (own_place < 0) place_ = pg_call([this] { return claim_unsafe(current_); });
}

ProgressReport::~ProgressReport() { release(place_); }

void ProgressReport::store() const {
    if (place_ < 0) return;
    SpinLockAcquire(&shared->mutex);
    shared->places[place_] = current_;
    SpinLockRelease(&shared->mutex);
}

void ProgressReport::phase(const char* name) {
    strlcpy(current_.phase, name, sizeof current_.phase);
    current_.iteration = current_.iterations = 0;
    current_.loss = std::numeric_limits<double>::quiet_NaN();
    store();
}

void ProgressReport::start_iterations() {
    current_.iterating_since = GetCurrentTimestamp();
    phase("training");
}

void ProgressReport::rows_read(std::uint64_t rows) {
    current_.rows_read = static_cast<std::int64_t>(rows);
    current_.read_seconds = static_cast<double>(GetCurrentTimestamp() - current_.started) / 1e6;
    store();
}

void ProgressReport::iteration(const Iteration& iteration) {
    if (strcmp(current_.phase, iteration.phase) != 0) phase(iteration.phase);
    ++current_.done;
    current_.iteration = iteration.iteration;
    current_.iterations = iteration.total;
    current_.loss = iteration.loss;
    store();
}

int read_progress_unsafe(TrainingProgress* entries, int room) {
    attach_unsafe();
    int count = 0;
    SpinLockAcquire(&shared->mutex);
    for (const TrainingProgress& place : shared->places)
        if (place.pid != 0 && count < room) entries[count++] = place;
    SpinLockRelease(&shared->mutex);
    return count;
}

}  // namespace mf::pg
