#include "core/base/task_thread.hpp"

#include <system_error>
#include <utility>

#include "core/base/signals_blocked.hpp"

namespace mf {

void TaskThread::begin_thread() {
    if (!beside_ || thread_.joinable()) return;
    const SignalsBlocked blocked;
    try {
        thread_ = std::thread([this] { run(); });
    } catch (const std::system_error&) {
        beside_ = false;
    }
}

void TaskThread::run() noexcept {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return task_ || ends_; });
        if (!task_) return;
        lock.unlock();
        std::exception_ptr error;
        try {
            task_();
        } catch (...) {
            error = std::current_exception();
        }
        lock.lock();
        task_ = nullptr;
        error_ = std::move(error);
        changed_.notify_all();
    }
}

void TaskThread::start(std::function<void()> task) {
    wait();
    begin_thread();
    if (!beside_) {
        task();
        return;
    }
    const std::lock_guard lock(mutex_);
    task_ = std::move(task);
    changed_.notify_all();
}

void TaskThread::wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !task_; });
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void TaskThread::stop() noexcept {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        ends_ = true;
        changed_.notify_all();
    }
    thread_.join();
    ends_ = false;
}

}  // namespace mf
