// SPDX-License-Identifier: Apache-2.0
#include "base/parallel/parallel.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/os/cores.hpp"
#include "base/testing/no_threads.hpp"

namespace andon::base {
namespace {

TEST(ShareTasks, GivesEachTaskToOneWorker) {
  std::vector<std::atomic<int>> done(1000);
  std::vector<std::atomic<int>> seen(4);
  const std::size_t workers = share_tasks(done.size(), 4, [&](Share& share) {
    ++seen.at(share.worker());
    while (const auto task = share.take()) ++done.at(*task);
  });
  EXPECT_EQ(workers, 4U);
  for (const auto& count : done) EXPECT_EQ(count, 1);
  for (const auto& count : seen) EXPECT_EQ(count, 1);
}

TEST(ShareTasks, RunsNoMoreWorkersThanTasksAndOneForNone) {
  EXPECT_EQ(share_tasks(2, 100, [](Share& share) { (void)share.take(); }), 2U);
  int calls = 0;
  EXPECT_EQ(share_tasks(0, 4, [&](Share& share) { calls += share.take() ? 100 : 1; }), 1U);
  EXPECT_EQ(calls, 1);
}

TEST(ShareTasks, LetsTheCallerBeTheFirstWorker) {
  const auto caller = std::this_thread::get_id();
  share_tasks(2, 2, [&](Share& share) {
    EXPECT_EQ(share.worker() == 0, std::this_thread::get_id() == caller);
  });
}

TEST(ShareTasks, ThrowsTheFirstErrorWhenAllHaveEndedAndGivesOutNoMore) {
  std::latch both_here(2);
  std::atomic<int> ended{0};
  std::atomic<bool> is_given_more = false;
  try {
    share_tasks(1'000'000, 2, [&](Share& share) {
      (void)share.take();
      both_here.arrive_and_wait();
      if (share.worker() == 1) throw std::runtime_error("first");
      while (share.take()) {
      }
      ++ended;
      is_given_more = share.take().has_value();
    });
    FAIL() << "no error came";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "first");
  }
  EXPECT_EQ(ended, 1);
  EXPECT_FALSE(is_given_more);
}

TEST(ShareTasks, DoesWithoutThreadsThatCannotBeStarted) {
  const NoThreads none;
  int done = 0;
  EXPECT_EQ(share_tasks(10, 4,
                        [&](Share& share) {
                          while (share.take()) ++done;
                        }),
            1U);
  EXPECT_EQ(done, 10);
}

TEST(RunSideBySide, RunsAllAtTheSameTime) {
  std::latch all_here(3);
  EXPECT_EQ(run_side_by_side(3, [&](std::size_t) { all_here.arrive_and_wait(); }), 3U);
}

TEST(WorkerCount, IsWhatIsWantedOrTheUsableCores) {
  EXPECT_EQ(worker_count(7), 7U);
  EXPECT_EQ(worker_count(0), static_cast<std::size_t>(usable_cores()));
}

}  // namespace
}  // namespace andon::base
