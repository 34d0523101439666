// SPDX-License-Identifier: Apache-2.0
#include "inspect/look/pipeline.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <condition_variable>
#include <optional>
#include <set>
#include <thread>

#include "base/os/cores.hpp"
#include "vision/runtime/cores.hpp"

namespace andon::inspect {
namespace {

using Jobs = std::span<Job* const>;

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
  Pipeline pipeline({.workers = 3, .frames_in_flight = 6, .batch = 1, .cores = {}},
                    [&](int, Jobs jobs) {
                      Job& in_hand = *jobs.front();
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
  Pipeline pipeline({.workers = 1, .frames_in_flight = 2, .batch = 1, .cores = {}},
                    [](int, Jobs) {});
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
  Pipeline pipeline({.workers = kWorkers, .frames_in_flight = 8, .batch = 1, .cores = {}},
                    [&](int worker, Jobs) {
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
  const std::vector<int> allowed = base::allowed_cores();
  const std::vector<int> cores{allowed.back(), allowed.front()};
  constexpr int kWorkers = 3;
  std::array<std::vector<int>, kWorkers> seen;
  {
    std::atomic<int> arrived = 0;
    Pipeline pipeline(
        {.workers = kWorkers, .frames_in_flight = kWorkers, .batch = 1, .cores = cores},
        [&](int worker, Jobs) {
          seen[static_cast<std::size_t>(worker)] = base::allowed_cores();
          ++arrived;  // none takes a second frame
          while (arrived < kWorkers) std::this_thread::yield();
        });
    for (int i = 0; i < kWorkers; ++i) pipeline.submit(job("frame"));
    pipeline.wait_until_done();
  }
  EXPECT_EQ(seen[0], std::vector<int>{allowed.back()});
  EXPECT_EQ(seen[1], std::vector<int>{allowed.front()});
  EXPECT_EQ(seen[2], std::vector<int>{allowed.back()});
  EXPECT_EQ(base::allowed_cores(), allowed);
}

// Workers that begin when the test says so, and note which frames they took together.
class BatchTest : public testing::Test {
 protected:
  void start(int workers, std::size_t batch) {
    pipeline_.emplace(
        PipelineOptions{.workers = workers, .frames_in_flight = 16, .batch = batch, .cores = {}},
        [this](int, Jobs jobs) { look(jobs); });
  }
  void look(Jobs jobs) {
    std::string names;
    for (const Job* it : jobs) names += it->frame.name;
    std::unique_lock lock(mutex_);
    batches_.insert(names);
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return is_open_; });
  }
  // Until so many batches were begun.
  void wait_for(std::size_t batches) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return arrived_ >= batches; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  void submit(const std::string& names, const std::shared_ptr<const Model>& model = nullptr) {
    for (const char name : names) {
      auto given = job(std::string(1, name));
      given->model = model;
      pipeline_->submit(std::move(given));
    }
  }
  std::string take_all() {
    pipeline_->wait_until_done();
    std::string names;
    while (const auto done = pipeline_->take()) names += done->frame.name;
    return names;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = false;
  std::size_t arrived_ = 0;
  std::set<std::string> batches_;
  std::optional<Pipeline> pipeline_;
};

TEST_F(BatchTest, TakesTheFramesThatWaitAndNeverWaitsForMore) {
  start(1, 4);
  submit("a");
  wait_for(1);  // it went off with the one that was there
  submit("bcdefg");
  open();
  EXPECT_EQ(take_all(), "abcdefg");
  EXPECT_EQ(batches_, (std::set<std::string>{"a", "bcde", "fg"}));
}

TEST_F(BatchTest, HoldsFramesOfOneModelOnly) {
  start(1, 8);
  const auto older = std::make_shared<const Model>();
  const auto newer = std::make_shared<const Model>();
  submit("a", older);
  wait_for(1);
  submit("bc", older);
  submit("def", newer);
  open();
  EXPECT_EQ(take_all(), "abcdef");
  EXPECT_EQ(batches_, (std::set<std::string>{"a", "bc", "def"}));
}

TEST_F(BatchTest, LeavesFramesForTheOtherWorkersThatAreFree) {
  start(2, 8);
  submit("ab");
  wait_for(2);
  EXPECT_EQ(batches_, (std::set<std::string>{"a", "b"}));
  open();
  EXPECT_EQ(take_all(), "ab");
}

TEST_F(BatchTest, OtherWorkersTakeOverWithoutLosingOrDoublingAFrame) {
  start(1, 1);
  open();
  submit("abc");
  pipeline_->restart({.workers = 3, .frames_in_flight = 16, .batch = 2, .cores = {}});
  submit("defgh");
  EXPECT_EQ(take_all(), "abcdefgh");
  EXPECT_TRUE(pipeline_->is_empty());
}

}  // namespace
}  // namespace andon::inspect
