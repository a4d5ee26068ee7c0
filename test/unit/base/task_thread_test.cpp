#include "core/base/task_thread.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace mf {
namespace {

TEST(TaskThreadTest, RunsTasksInTheirOrder) {
    for (const bool beside : {false, true}) {
        TaskThread thread(beside);
        std::vector<int> done;  // no lock: one task at a time
        for (int i = 0; i < 1000; ++i) thread.start([&done, i] { done.push_back(i); });
        thread.wait();
        ASSERT_EQ(done.size(), 1000u);
        for (int i = 0; i < 1000; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)], i);
    }
}

TEST(TaskThreadTest, RunsBesideTheCallingThread) {
    TaskThread thread(true);
    std::atomic<bool> go_on{false};
    std::thread::id id;
    thread.start([&] {
        while (!go_on) std::this_thread::yield();
        id = std::this_thread::get_id();
    });
    go_on = true;  // never reached if start() ran the task
    thread.wait();
    EXPECT_NE(id, std::this_thread::get_id());
    TaskThread none(false);
    none.start([&] { id = std::this_thread::get_id(); });
    EXPECT_EQ(id, std::this_thread::get_id());
}

TEST(TaskThreadTest, PassesExceptionsOn) {
    for (const bool beside : {false, true}) {
        TaskThread thread(beside);
        const auto fail = [&] {
            thread.start([] { throw std::runtime_error("failed"); });
            thread.wait();
        };
        EXPECT_THROW(fail(), std::runtime_error);
        bool done = false;
        EXPECT_NO_THROW(thread.start([&] { done = true; }));
        EXPECT_NO_THROW(thread.wait());
        EXPECT_TRUE(done) << "the object can be used again";
        const auto fail_at_next = [&] {
            thread.start([] { throw std::runtime_error("failed"); });
            thread.start([] { ADD_FAILURE() << "this task may not run"; });
        };
        EXPECT_THROW(fail_at_next(), std::runtime_error);
    }
}

TEST(TaskThreadTest, WaitsForATaskAtItsEnd) {
    std::atomic<bool> go_on{false}, done{false};
    std::thread other;
    {
        TaskThread thread(true);
        thread.start([&] {
            while (!go_on) std::this_thread::yield();
            done = true;
            throw std::runtime_error("lost");
        });
        other = std::thread([&] { go_on = true; });
    }
    EXPECT_TRUE(done);
    other.join();
}

TEST(TaskThreadTest, CanBeStoppedAndUsedAgain) {
    TaskThread thread(true);
    thread.stop();
    int done = 0;
    thread.start([&] { ++done; });
    thread.stop();
    EXPECT_EQ(done, 1);
    thread.start([&] { ++done; });
    thread.wait();
    EXPECT_EQ(done, 2);
}

TEST(TaskThreadTest, LeavesSignalsToTheCallingThread) {
    TaskThread thread(true);
    sigset_t mask;
    thread.start([&] { pthread_sigmask(SIG_SETMASK, nullptr, &mask); });
    thread.wait();
    for (const int signal : {SIGINT, SIGTERM, SIGALRM, SIGUSR1}) EXPECT_TRUE(sigismember(&mask, signal));
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) EXPECT_FALSE(sigismember(&mask, fault));
}

}  // namespace
}  // namespace mf
