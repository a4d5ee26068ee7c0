// A thread of the core beside PostgreSQL's executor.
#pragma once

#include "core/base/task_thread.hpp"

namespace mf::pg {

/// A TaskThread whose tasks may run while the calling thread is in PostgreSQL. Tasks call nothing of PostgreSQL, and
/// read no settings. A session that is terminated meanwhile exits without unwinding its stack: then the thread ends
/// before the session gives its shared memory back, which a task may be reading.
class ReadingThread : public TaskThread {
  public:
    /// beside: as of TaskThread; false if mf_ext.max_threads allows one thread only.
    ReadingThread();
    ~ReadingThread();

  private:
    static void stop_all() noexcept;

    ReadingThread* next_;  ///< of those of this session
};

}  // namespace mf::pg
