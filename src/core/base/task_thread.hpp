// One thread beside the calling one, for work on what the calling thread reads meanwhile.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace mf {

/// Runs tasks one after the other, at most one at a time. The thread is started for the first task and ends with the
/// object; all signals that can be blocked are blocked in it. A task may use nothing that the calling thread changes
/// before wait() or the next start() has returned.
class TaskThread {
  public:
    /// beside false: there is no thread, start() runs its task. So it is, too, where the system allows no more threads.
    explicit TaskThread(bool beside) : beside_(beside) {}

    /// Waits for the task under way, whose exception is lost.
    ~TaskThread() { stop(); }
    TaskThread(const TaskThread&) = delete;
    TaskThread& operator=(const TaskThread&) = delete;

    /// Waits for the task before and rethrows its exception, if it threw one; else begins this one.
    void start(std::function<void()> task);

    /// Waits for the task under way, and rethrows its exception. After an exception the object can be used again.
    void wait();

    /// Waits for the task under way and ends the thread. Throws nothing.
    void stop() noexcept;

  private:
    void run() noexcept;
    void begin_thread();

    bool beside_;
    std::thread thread_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::function<void()> task_;  ///< empty: none is under way
    bool ends_ = false;
    std::exception_ptr error_;
};

}  // namespace mf
