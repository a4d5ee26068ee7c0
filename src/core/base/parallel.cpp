#include "core/base/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "core/base/signals_blocked.hpp"

namespace mf {
namespace {

/// The remaining blocks, assigned in ascending order.
class Queue {
  public:
    Queue(std::size_t blocks, const std::function<void(std::size_t, int)>& body) : blocks_(blocks), body_(body) {}

    std::size_t remaining() const { return blocks_ - std::min(next_.load(), blocks_); }

    /// Processes one block; false if none is left or the queue was stopped. Never throws: an exception of the body is
    /// kept and stops the queue.
    bool run_one(int worker) noexcept {
        if (stopped_.load(std::memory_order_relaxed)) return false;
        const std::size_t block = next_.fetch_add(1, std::memory_order_relaxed);
        if (block >= blocks_) return false;
        try {
            body_(block, worker);
        } catch (...) {
            fail(std::current_exception());
            return false;
        }
        return true;
    }

    /// Lets every worker return after its current block.
    void stop() noexcept { stopped_.store(true, std::memory_order_relaxed); }
    void resume() noexcept { stopped_.store(false, std::memory_order_relaxed); }

    void fail(std::exception_ptr error) noexcept {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (!error_) error_ = std::move(error);
        }
        stop();
    }

    /// To be called while no worker runs.
    void rethrow_failure() const {
        if (error_) std::rethrow_exception(error_);
    }

  private:
    const std::size_t blocks_;
    const std::function<void(std::size_t, int)>& body_;
    std::atomic<std::size_t> next_{0};
    std::atomic<bool> stopped_{false};
    std::mutex mutex_;
    std::exception_ptr error_;
};

/// The threads beside the calling one; the destructor joins them in any case.
class Workers {
  public:
    Workers(Queue& queue, std::size_t count) {
        if (count == 0) return;
        threads_.reserve(count);
        const SignalsBlocked blocked;
        try {
            for (std::size_t i = 0; i < count; ++i) {
                const int worker = static_cast<int>(i) + 1;
                threads_.emplace_back([&queue, worker] {
                    while (queue.run_one(worker)) {
                    }
                });
            }
        } catch (const std::system_error&) {
            // The system allows no more threads: the existing ones do all the work.
        } catch (...) {
            queue.stop();
            join();
            throw;
        }
    }
    ~Workers() { join(); }
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

  private:
    void join() {
        for (std::thread& thread : threads_) thread.join();
        threads_.clear();
    }

    std::vector<std::thread> threads_;
};

bool is_interrupted(const Environment& environment) {
    return environment.interrupted && environment.checkpoint && environment.interrupted();
}

/// Processes the queue until it is empty, has failed, or an interrupt is pending. No worker runs any more when it
/// returns.
void run_until_interrupt(Environment& environment, Queue& queue) {
    const auto threads = static_cast<std::size_t>(std::max(environment.threads, 1));
    const Workers workers(queue, std::min(threads, queue.remaining()) - 1);
    try {
        // Checks for an interrupt after a block, not before: each round makes progress even if the host cannot handle
        // the interrupt yet and keeps the flag set.
        while (queue.run_one(0)) {
            if (is_interrupted(environment)) {
                queue.stop();
                break;
            }
        }
    } catch (...) {
        queue.fail(std::current_exception());
    }
}

}  // namespace

void parallel_for(Environment& environment, std::size_t blocks,
                  const std::function<void(std::size_t block, int worker)>& body) {
    // At least once in each call, so that loops over few blocks can be cancelled too.
    check_interrupt(environment);
    Queue queue(blocks, body);
    while (queue.remaining() > 0) {
        queue.resume();
        run_until_interrupt(environment, queue);
        queue.rethrow_failure();
        if (queue.remaining() > 0) environment.checkpoint();
    }
}

void parallel_ranges(Environment& environment, std::size_t count, std::size_t block,
                     const std::function<void(std::size_t begin, std::size_t end, int worker)>& body) {
    parallel_for(environment, (count + block - 1) / block, [&](std::size_t index, int worker) {
        body(index * block, std::min((index + 1) * block, count), worker);
    });
}

void check_interrupt(Environment& environment) {
    if (is_interrupted(environment)) environment.checkpoint();
}

}  // namespace mf
