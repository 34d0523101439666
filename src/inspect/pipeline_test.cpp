// SPDX-License-Identifier: Apache-2.0
#include "inspect/pipeline.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <condition_variable>
#include <thread>

#include "vision/cores.hpp"

namespace andon::inspect {
namespace {

std::unique_ptr<Job> job(const std::string& name) {
  auto result = std::make_unique<Job>();
  result->frame.name = name;
  return result;
}

bool is_readable(int fd, int millis) {
  pollfd polled{fd, POLLIN, 0};
  return poll(&polled, 1, millis) == 1;
}

TEST(Pipeline, GivesFramesBackInOrderWhicheverWorkerIsFaster) {
  std::mutex mutex;
  std::condition_variable released;
  bool is_released = false;
  Pipeline pipeline({.workers = 3, .frames_in_flight = 6, .cores = {}}, [&](int, Job& in_hand) {
    if (in_hand.frame.name == "slow") {
      std::unique_lock lock(mutex);
      released.wait(lock, [&] { return is_released; });
    }
    in_hand.message = "looked at " + in_hand.frame.name;
  });
  for (const char* name : {"slow", "b", "c", "d"}) pipeline.submit(job(name));
  EXPECT_FALSE(is_readable(pipeline.fd(), 20));
  EXPECT_EQ(pipeline.take(), nullptr);
  {
    const std::lock_guard lock(mutex);
    is_released = true;
  }
  released.notify_all();
  pipeline.wait_until_done();
  EXPECT_TRUE(is_readable(pipeline.fd(), 1000));
  for (const char* name : {"slow", "b", "c", "d"}) {
    const auto done = pipeline.take();
    ASSERT_NE(done, nullptr);
    EXPECT_EQ(done->message, std::string("looked at ") + name);
  }
  EXPECT_EQ(pipeline.take(), nullptr);
  EXPECT_TRUE(pipeline.is_empty());
}

TEST(Pipeline, HasRoomForSoManyFramesAndNoMore) {
  Pipeline pipeline({.workers = 1, .frames_in_flight = 2, .cores = {}}, [](int, Job&) {});
  pipeline.submit(job("a"));
  EXPECT_TRUE(pipeline.has_room());
  pipeline.submit(job("b"));
  EXPECT_FALSE(pipeline.has_room());
  pipeline.wait_until_done();
  EXPECT_FALSE(pipeline.has_room());  // nobody has taken the results
  EXPECT_NE(pipeline.take(), nullptr);
  EXPECT_TRUE(pipeline.has_room());
}

TEST(Pipeline, NeverGivesAWorkerTwoFramesAtATime) {
  constexpr int kWorkers = 4;
  constexpr int kFrames = 2000;
  std::array<std::atomic<int>, kWorkers> in_hand{};
  std::atomic<int> together = 0;
  Pipeline pipeline({.workers = kWorkers, .frames_in_flight = 8, .cores = {}},
                    [&](int worker, Job&) {
                      auto& mine = in_hand[static_cast<std::size_t>(worker)];
                      if (mine.fetch_add(1) != 0) ++together;
                      mine.fetch_sub(1);
                    });
  int submitted = 0;
  for (int taken = 0; taken < kFrames;) {
    while (submitted < kFrames && pipeline.has_room()) {
      pipeline.submit(job(std::to_string(submitted++)));
    }
    ASSERT_TRUE(is_readable(pipeline.fd(), 10'000));
    while (const auto done = pipeline.take()) EXPECT_EQ(done->frame.name, std::to_string(taken++));
  }
  EXPECT_EQ(together, 0);
}

TEST(Pipeline, KeepsEachWorkerOnItsCore) {
  const std::vector<int> allowed = vision::allowed_cores();
  const std::vector<int> cores{allowed.back(), allowed.front()};
  constexpr int kWorkers = 3;
  std::array<std::vector<int>, kWorkers> seen;
  {
    std::atomic<int> arrived = 0;
    Pipeline pipeline({.workers = kWorkers, .frames_in_flight = kWorkers, .cores = cores},
                      [&](int worker, Job&) {
                        seen[static_cast<std::size_t>(worker)] = vision::allowed_cores();
                        ++arrived;  // none takes a second frame
                        while (arrived < kWorkers) std::this_thread::yield();
                      });
    for (int i = 0; i < kWorkers; ++i) pipeline.submit(job("frame"));
    pipeline.wait_until_done();
  }
  EXPECT_EQ(seen[0], std::vector<int>{allowed.back()});
  EXPECT_EQ(seen[1], std::vector<int>{allowed.front()});
  EXPECT_EQ(seen[2], std::vector<int>{allowed.back()});
  EXPECT_EQ(vision::allowed_cores(), allowed);
}

}  // namespace
}  // namespace andon::inspect
