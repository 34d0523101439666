// SPDX-License-Identifier: Apache-2.0
#include "edge/deploy/progress_reporter.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "edge/testing/fake_loop_clock.hpp"

namespace andon::edge {
namespace {

TEST(ProgressReporter, TellsWhatLastsAndOnlyWhatIsNew) {
  FakeLoopClock clock;
  EventLoop loop(clock);
  ProgressReporter::Now now{"job-1", {"downloading", "", 1'000'000, 9'000'000, ""}};
  std::vector<std::string> sent;
  ProgressReporter reporter(
      loop, [&] { return now; },
      [&](const ProgressReporter::Now& told) { sent.push_back(fleet::describe(told.progress)); });
  const auto turn = [&](std::chrono::milliseconds by) {
    clock.advance(by);
    loop.run_until([] { return false; }, std::chrono::milliseconds{2});
  };
  reporter.start();
  reporter.start();
  turn(ProgressReporter::kFirst - std::chrono::milliseconds{1});
  EXPECT_TRUE(sent.empty());  // a short deployment says nothing in between
  turn(std::chrono::milliseconds{1});
  EXPECT_EQ(sent, (std::vector<std::string>{"downloading, 1.0 of 9.0 MB"}));
  turn(ProgressReporter::kAgain);
  EXPECT_EQ(sent.size(), 1U);
  now.progress.bytes = 2'000'000;
  turn(ProgressReporter::kAgain);
  EXPECT_EQ(sent.back(), "downloading, 2.0 of 9.0 MB");
  now = {};
  turn(ProgressReporter::kAgain);
  turn(ProgressReporter::kAgain);
  EXPECT_EQ(sent.size(), 2U);
  now = {"job-2", {"downloading", "", 2'000'000, 9'000'000, ""}};
  reporter.start();
  turn(ProgressReporter::kFirst);
  EXPECT_EQ(sent.size(), 3U);
}

}  // namespace
}  // namespace andon::edge
