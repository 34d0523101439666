// SPDX-License-Identifier: Apache-2.0
#include "inspect/model/idle_tuner.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error/error.hpp"

namespace andon::inspect {
namespace {

std::optional<vision::Tuning> wait_for(IdleTuner& tuner) {
  pollfd polled{tuner.fd(), POLLIN, 0};
  EXPECT_EQ(poll(&polled, 1, 10'000), 1);
  return tuner.take();
}

TEST(IdleTuner, GivesWayToWorkAndGoesOnLater) {
  std::atomic<int> calls = 0;
  std::atomic<bool> has_begun = false;
  IdleTuner tuner([&](const vision::Tuner::IsInterrupted& is_interrupted) {
    std::optional<vision::Tuning> result;
    if (++calls == 1) {
      has_begun = true;
      while (!is_interrupted()) std::this_thread::yield();
      return result;
    }
    result.emplace().workers = 7;
    return result;
  });
  EXPECT_EQ(calls, 0);
  tuner.go_on();
  tuner.go_on();  // it is at it
  while (!has_begun) std::this_thread::yield();
  tuner.interrupt();
  EXPECT_FALSE(wait_for(tuner).has_value());
  tuner.go_on();
  const auto tuning = wait_for(tuner);
  ASSERT_TRUE(tuning.has_value());
  EXPECT_EQ(tuning->workers, 7);
  tuner.go_on();  // it has measured
  EXPECT_FALSE(tuner.take().has_value());
  EXPECT_EQ(calls, 2);
}

TEST(IdleTuner, LetsOtherProgramsGoFirst) {
  std::atomic<int> nice = 0;
  IdleTuner tuner([&](const vision::Tuner::IsInterrupted&) {
    nice = getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()));
    return std::optional<vision::Tuning>(vision::Tuning{});
  });
  tuner.go_on();
  EXPECT_TRUE(wait_for(tuner).has_value());
  EXPECT_GE(nice, 10);
  EXPECT_LT(getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())), nice);
}

TEST(IdleTuner, EndsWhereMeasuringFails) {
  int calls = 0;
  IdleTuner tuner([&](const vision::Tuner::IsInterrupted&) -> std::optional<vision::Tuning> {
    ++calls;
    throw base::Error(base::ErrorCode::invalid_argument, "no model");
  });
  tuner.go_on();
  EXPECT_FALSE(wait_for(tuner).has_value());
  tuner.go_on();
  EXPECT_EQ(calls, 1);
}

TEST(IdleTuner, StopsWhenTheProgramEnds) {
  std::atomic<bool> has_ended = false;
  {
    IdleTuner tuner([&](const vision::Tuner::IsInterrupted& is_interrupted) {
      while (!is_interrupted()) std::this_thread::yield();
      has_ended = true;
      return std::optional<vision::Tuning>();
    });
    tuner.go_on();
  }
  EXPECT_TRUE(has_ended);
}

}  // namespace
}  // namespace andon::inspect
