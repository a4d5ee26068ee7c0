#include "core/training/fold_in_users.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace mf {
namespace {

// Each user is solved once; long histories by the calling thread, with checkpoints, after all others.
TEST(FoldInUsersTest, LongHistoriesAreSolvedByTheCaller) {
    constexpr std::size_t kUsers = 1000;
    constexpr int kFactors = 100;
    constexpr std::size_t kLong = 200'001;  // entries: a worker may have 2e9 / 100²
    const auto entries_of = [](std::size_t user) { return user % 250 == 3 ? kLong : kLong - 1; };
    Environment environment;
    environment.threads = 3;
    const std::thread::id caller = std::this_thread::get_id();
    std::vector<int> solved(kUsers);
    std::size_t of_caller = 0;
    fold_in_users(environment, kUsers, kFactors, entries_of,
                  [&](std::size_t user, std::size_t worker, Environment* checkpoints) {
                      ++solved[user];
                      EXPECT_LT(worker, 3u);
                      EXPECT_EQ(checkpoints != nullptr, entries_of(user) == kLong);
                      if (checkpoints == nullptr) return;
                      EXPECT_EQ(checkpoints, &environment);
                      EXPECT_EQ(worker, 0u);
                      EXPECT_EQ(std::this_thread::get_id(), caller);
                      if (++of_caller > 1) return;
                      for (std::size_t other = 0; other < kUsers; ++other)
                          EXPECT_EQ(solved[other], entries_of(other) == kLong && other != user ? 0 : 1);
                  });
    EXPECT_EQ(solved, std::vector<int>(kUsers, 1));
    EXPECT_EQ(of_caller, kUsers / 250);
}

}  // namespace
}  // namespace mf
