// A thread of the core beside PostgreSQL's executor.
#pragma once

#include <utility>

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

/// Two pieces of rows: the calling thread fills one while the thread beside it uses the other. A Piece has clear().
template <class Piece>
class HandedPieces {
  public:
    HandedPieces(Piece first, Piece second) : filled_(std::move(first)), used_(std::move(second)) {}

    /// The one to fill; another one after each hand_over().
    Piece& filled() { return filled_; }

    /// Waits until the piece before is used, rethrowing what its use threw, and has the thread call use(piece) with the
    /// one that is filled, which is cleared then.
    template <class Use>
    void hand_over(const Use& use) {
        beside_.wait();
        std::swap(filled_, used_);
        beside_.start([this, use] {
            use(used_);
            used_.clear();
        });
    }

    /// Waits until the last piece is used, and rethrows what that threw.
    void finish() { beside_.wait(); }

  private:
    Piece filled_;
    Piece used_;
    ReadingThread beside_;  ///< destroyed first
};

}  // namespace mf::pg
