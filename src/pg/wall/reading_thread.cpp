#include "pg/wall/reading_thread.hpp"

#include "pg/wall/guard.hpp"
#include "pg/wall/guc.hpp"

extern "C" {
#include "storage/ipc.h"
}

namespace mf::pg {
namespace {

/// Those of this session, the latest first: they are destroyed in the opposite order of their construction.
ReadingThread* latest = nullptr;

}  // namespace

ReadingThread::ReadingThread() : TaskThread(setting_threads() > 1), next_(latest) {
    static bool registered = false;
    if (!registered) pg_call([] { before_shmem_exit([](int, Datum) { stop_all(); }, Datum{0}); });
    registered = true;
    latest = this;
}

ReadingThread::~ReadingThread() { latest = next_; }

void ReadingThread::stop_all() noexcept {
    for (ReadingThread* thread = latest; thread != nullptr; thread = thread->next_) thread->stop();
}

}  // namespace mf::pg
