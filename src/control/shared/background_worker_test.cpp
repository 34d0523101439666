// SPDX-License-Identifier: Apache-2.0
#include "control/shared/background_worker.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <stdexcept>

namespace andon::control {
namespace {

using std::chrono::milliseconds;

class BackgroundWorkerTest : public testing::Test {
 protected:
  bool step() {
    const std::lock_guard lock(mutex_);
    ++steps_;
    changed_.notify_all();
    if (steps_ == fails_at_) throw std::runtime_error("the disk is full");
    if (left_ > 0) --left_;
    return left_ > 0;
  }
  bool wait_for_steps(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return steps_ >= count; });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int steps_ = 0;
  int left_ = 0;
  int fails_at_ = 0;
};

TEST_F(BackgroundWorkerTest, WorksAtOnceUntilNothingIsLeftAndAgainWhenItIsWoken) {
  left_ = 3;
  BackgroundWorker worker(
      "test", [this] { return step(); }, std::chrono::hours(1));
  ASSERT_TRUE(wait_for_steps(3));
  worker.wake();
  EXPECT_TRUE(wait_for_steps(4));
}

TEST_F(BackgroundWorkerTest, LooksByItselfAfterThePause) {
  const BackgroundWorker worker(
      "test", [this] { return step(); }, milliseconds(1));
  EXPECT_TRUE(wait_for_steps(3));
}

TEST_F(BackgroundWorkerTest, AStepThatFailsIsTriedAgain) {
  left_ = 2;
  fails_at_ = 1;
  const BackgroundWorker worker(
      "test", [this] { return step(); }, milliseconds(1));
  EXPECT_TRUE(wait_for_steps(3));
}

}  // namespace
}  // namespace andon::control
