#include "core/base/parallel.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace mf {
namespace {

Environment with_threads(int threads) {
    Environment environment;
    environment.threads = threads;
    return environment;
}

/// Threads of this process, as the kernel lists them.
std::ptrdiff_t listed_threads() {
    using std::filesystem::directory_iterator;
    return std::distance(directory_iterator("/proc/self/task"), directory_iterator());
}

/// Threads before a test starts any. A sanitizer starts one of its own beside the first.
std::ptrdiff_t threads_at_rest() {
    static const std::ptrdiff_t count = [] {
        std::thread([] {}).join();
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        return listed_threads();
    }();
    return count;
}

/// True if all threads of parallel_for are gone. The kernel lists a joined thread for a moment longer.
bool no_thread_left() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (listed_threads() > threads_at_rest()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::yield();
    }
    return true;
}

/// Waits until n bodies wait here at the same time; false after ten seconds.
class Meeting {
  public:
    explicit Meeting(int n) : missing_(n) {}
    bool arrive() {
        --missing_;
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (missing_ > 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
        return missing_ <= 0;
    }

  private:
    std::atomic<int> missing_;
};

TEST(ParallelFor, DoesEveryBlockExactlyOnce) {
    for (const int threads : {-1, 0, 1, 2, 3, 7}) {
        for (const std::size_t blocks : {0u, 1u, 2u, 3u, 100u, 1001u}) {
            Environment environment = with_threads(threads);
            std::vector<std::atomic<int>> done(blocks);
            std::atomic<bool> worker_in_range = true;
            parallel_for(environment, blocks, [&](std::size_t block, int worker) {
                ++done.at(block);
                if (worker < 0 || worker >= std::max(threads, 1)) worker_in_range = false;
            });
            for (const auto& times : done) ASSERT_EQ(times, 1) << threads << " threads, " << blocks << " blocks";
            EXPECT_TRUE(worker_in_range);
        }
    }
}

TEST(ParallelFor, OneThreadIsTheCallingOne) {
    Environment environment = with_threads(1);
    std::vector<std::size_t> order;
    parallel_for(environment, 5, [&](std::size_t block, int worker) {
        EXPECT_EQ(worker, 0);
        order.push_back(block);
    });
    EXPECT_EQ(order, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
}

TEST(ParallelFor, RunsOnAsManyThreadsAsAsked) {
    Environment environment = with_threads(4);
    Meeting meeting(4);
    std::mutex mutex;
    std::set<std::thread::id> ids;
    std::set<int> workers;
    std::atomic<bool> met = true;
    parallel_for(environment, 4, [&](std::size_t, int worker) {
        {
            const std::lock_guard<std::mutex> lock(mutex);
            ids.insert(std::this_thread::get_id());
            workers.insert(worker);
        }
        if (!meeting.arrive()) met = false;
    });
    EXPECT_TRUE(met) << "the four blocks did not run at the same time";
    EXPECT_EQ(ids.size(), 4u);
    EXPECT_EQ(ids.count(std::this_thread::get_id()), 1u) << "the calling thread must work too";
    EXPECT_EQ(workers, (std::set<int>{0, 1, 2, 3}));
}

TEST(ParallelFor, StartsNoMoreThreadsThanBlocks) {
    Environment environment = with_threads(1000);
    ASSERT_TRUE(no_thread_left());
    Meeting meeting(3);
    std::ptrdiff_t counted = 0;
    parallel_for(environment, 3, [&](std::size_t, int worker) {
        meeting.arrive();
        if (worker == 0) counted = listed_threads();
    });
    EXPECT_LE(counted, threads_at_rest() + 2);
}

TEST(ParallelFor, LeavesNoThreadBehind) {
    Environment environment = with_threads(5);
    parallel_for(environment, 50, [](std::size_t, int) {});
    EXPECT_TRUE(no_thread_left());
}

TEST(ParallelFor, GoesOnWithoutThreadsThatCannotBeHad) {
    // A stack that does not fit into the address space: the system refuses every new thread.
    pthread_attr_t before, absurd;
    ASSERT_EQ(pthread_getattr_default_np(&before), 0);
    ASSERT_EQ(pthread_getattr_default_np(&absurd), 0);
    ASSERT_EQ(pthread_attr_setstacksize(&absurd, std::size_t{1} << 50), 0);
    ASSERT_EQ(pthread_setattr_default_np(&absurd), 0);
    EXPECT_THROW(std::thread([] {}).join(), std::system_error);

    Environment environment = with_threads(4);
    int done = 0;
    parallel_for(environment, 10, [&](std::size_t, int worker) {
        EXPECT_EQ(worker, 0);
        ++done;
    });
    EXPECT_EQ(done, 10);

    ASSERT_EQ(pthread_setattr_default_np(&before), 0);
    pthread_attr_destroy(&absurd);
    pthread_attr_destroy(&before);
}

TEST(ParallelFor, RethrowsTheExceptionOfAnyThread) {
    for (const int threads : {1, 2, 7}) {
        for (const std::size_t bad : {0u, 5u, 99u}) {
            Environment environment = with_threads(threads);
            try {
                parallel_for(environment, 100, [&](std::size_t block, int) {
                    if (block == bad) throw std::out_of_range("block " + std::to_string(block));
                });
                FAIL();
            } catch (const std::out_of_range& error) {
                EXPECT_EQ(error.what(), "block " + std::to_string(bad));
            }
            EXPECT_TRUE(no_thread_left());
        }
    }
}

TEST(ParallelFor, AnExceptionStopsTheOthersEarly) {
    Environment environment = with_threads(2);
    std::atomic<std::size_t> done = 0;
    const auto body = [&](std::size_t block, int) {
        if (block == 0) throw std::runtime_error("stop");
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        ++done;
    };
    EXPECT_THROW(parallel_for(environment, 5000, body), std::runtime_error);
    EXPECT_LT(done, 2500u);
}

TEST(ParallelFor, OneOfManyExceptionsArrives) {
    Environment environment = with_threads(4);
    Meeting meeting(4);
    const auto body = [&](std::size_t, int) {
        meeting.arrive();
        throw std::runtime_error("all of them");
    };
    EXPECT_THROW(parallel_for(environment, 100, body), std::runtime_error);
}

TEST(ParallelFor, WorkersBlockSignalsButNotFaults) {
    Environment environment = with_threads(3);
    sigset_t before;
    pthread_sigmask(SIG_SETMASK, nullptr, &before);
    ASSERT_EQ(sigismember(&before, SIGTERM), 0);

    Meeting meeting(3);
    std::mutex mutex;
    std::vector<sigset_t> masks(3);
    parallel_for(environment, 3, [&](std::size_t, int worker) {
        meeting.arrive();  // so that each of the three has one block
        const std::lock_guard<std::mutex> lock(mutex);
        pthread_sigmask(SIG_SETMASK, nullptr, &masks[static_cast<std::size_t>(worker)]);
    });
    for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD, SIGPIPE}) {
        for (const std::size_t worker : {1, 2}) {
            EXPECT_EQ(sigismember(&masks[worker], signal), 1) << "signal " << signal << ", worker " << worker;
        }
        EXPECT_EQ(sigismember(&masks[0], signal), 0) << "the calling thread serves signals, " << signal;
    }
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
        for (const std::size_t worker : {1, 2}) EXPECT_EQ(sigismember(&masks[worker], fault), 0) << fault;
    }

    sigset_t after;
    pthread_sigmask(SIG_SETMASK, nullptr, &after);
    for (int signal = 1; signal < SIGRTMAX; ++signal) {
        EXPECT_EQ(sigismember(&before, signal), sigismember(&after, signal)) << signal;
    }
}

TEST(ParallelFor, TheCallersOwnMaskComesBack) {
    sigset_t mine, after, before;
    sigemptyset(&mine);
    sigaddset(&mine, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &mine, &before);
    Environment environment = with_threads(2);
    parallel_for(environment, 10, [](std::size_t, int) {});
    pthread_sigmask(SIG_SETMASK, &before, &after);
    EXPECT_EQ(sigismember(&after, SIGUSR1), 1);
    EXPECT_EQ(sigismember(&after, SIGUSR2), 0);
}

TEST(ParallelFor, ACheckpointThatReturnsLosesAndRepeatsNothing) {
    for (const int threads : {1, 2, 3, 7}) {
        Environment environment = with_threads(threads);
        const std::thread::id caller = std::this_thread::get_id();
        int polls = 0;
        int checkpoints = 0;
        std::atomic<int> running = 0;
        environment.interrupted = [&] {
            EXPECT_EQ(std::this_thread::get_id(), caller);
            return ++polls % 3 == 0;
        };
        environment.checkpoint = [&] {
            EXPECT_EQ(std::this_thread::get_id(), caller);
            EXPECT_EQ(running, 0) << "a block runs during the checkpoint";
            EXPECT_TRUE(no_thread_left()) << "a worker lives during the checkpoint";
            ++checkpoints;
        };
        // On a busy machine the workers may finish before the calling thread looks at the flag; then once more.
        for (int attempt = 0; attempt < 100 && checkpoints == 0; ++attempt) {
            std::vector<std::atomic<int>> done(200);
            parallel_for(environment, done.size(), [&](std::size_t block, int) {
                ++running;
                std::this_thread::sleep_for(std::chrono::microseconds(100));
                ++done[block];
                --running;
            });
            for (const auto& times : done) ASSERT_EQ(times, 1);
        }
        EXPECT_GT(checkpoints, 0);
    }
}

TEST(ParallelFor, ACheckpointThatThrowsEndsTheWork) {
    for (const int threads : {1, 3}) {
        Environment environment = with_threads(threads);
        std::atomic<std::size_t> done = 0;
        environment.interrupted = [&] { return done >= 10; };
        environment.checkpoint = [] { throw std::runtime_error("canceling statement due to user request"); };
        EXPECT_THROW(parallel_for(environment, 10000,
                                  [&](std::size_t, int) {
                                      std::this_thread::sleep_for(std::chrono::microseconds(200));
                                      ++done;
                                  }),
                     std::runtime_error);
        EXPECT_GE(done, 10u);
        EXPECT_LT(done, 5000u);
        EXPECT_TRUE(no_thread_left());
    }
}

TEST(ParallelFor, MakesProgressWhileTheFlagStaysUp) {
    // A host that cannot serve its interrupt right now returns from the checkpoint with the flag still set.
    Environment environment = with_threads(2);
    int checkpoints = 0;
    environment.interrupted = [] { return true; };
    environment.checkpoint = [&] { ++checkpoints; };
    std::vector<std::atomic<int>> done(20);
    parallel_for(environment, done.size(), [&](std::size_t block, int) { ++done[block]; });
    for (const auto& times : done) EXPECT_EQ(times, 1);
    EXPECT_GT(checkpoints, 0);
    EXPECT_LE(checkpoints, 21);
}

TEST(ParallelFor, OneBlockCanBeCancelledToo) {
    Environment environment = with_threads(2);
    environment.interrupted = [] { return true; };
    environment.checkpoint = [] { throw std::runtime_error("cancel"); };
    bool ran = false;
    EXPECT_THROW(parallel_for(environment, 1, [&](std::size_t, int) { ran = true; }), std::runtime_error);
    EXPECT_FALSE(ran);
}

TEST(ParallelFor, AnExceptionOfABodyWinsOverAnInterrupt) {
    Environment environment = with_threads(1);
    std::size_t done = 0;
    environment.interrupted = [&] { return done > 0; };
    environment.checkpoint = [] { FAIL() << "checkpoint after a failure"; };
    const auto body = [&](std::size_t, int) {
        ++done;
        throw std::range_error("body");
    };
    EXPECT_THROW(parallel_for(environment, 3, body), std::range_error);
}

TEST(ParallelFor, AnExceptionOfThePollJoinsTheWorkers) {
    Environment environment = with_threads(3);
    int polls = 0;
    environment.interrupted = [&]() -> bool {
        if (++polls == 3) throw std::domain_error("poll");
        return false;
    };
    environment.checkpoint = [] {};
    EXPECT_THROW(parallel_for(environment, 20000,
                              [](std::size_t, int) { std::this_thread::sleep_for(std::chrono::microseconds(50)); }),
                 std::domain_error);
    EXPECT_TRUE(no_thread_left());
}

TEST(ParallelRanges, CoverEverythingOnce) {
    for (const std::size_t count : {0u, 1u, 9u, 10u, 11u, 1234u}) {
        Environment environment = with_threads(3);
        std::vector<int> seen(count, 0);
        parallel_ranges(environment, count, 10, [&](std::size_t begin, std::size_t end, int) {
            EXPECT_LT(begin, end);
            EXPECT_LE(end - begin, 10u);
            for (std::size_t i = begin; i < end; ++i) ++seen[i];
        });
        EXPECT_EQ(seen, std::vector<int>(count, 1));
    }
}

TEST(CheckInterrupt, CallsTheCheckpointOnlyIfInterrupted) {
    Environment environment;
    check_interrupt(environment);  // nothing set means never
    bool flag = false;
    int checkpoints = 0;
    environment.interrupted = [&] { return flag; };
    check_interrupt(environment);
    environment.checkpoint = [&] { ++checkpoints; };
    check_interrupt(environment);
    EXPECT_EQ(checkpoints, 0);
    flag = true;
    check_interrupt(environment);
    EXPECT_EQ(checkpoints, 1);
    environment.interrupted = nullptr;
    check_interrupt(environment);
    EXPECT_EQ(checkpoints, 1);
}

}  // namespace
}  // namespace mf
