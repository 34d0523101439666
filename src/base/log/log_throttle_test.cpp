// SPDX-License-Identifier: Apache-2.0
#include "base/log/log_throttle.hpp"

#include <gtest/gtest.h>

namespace andon::base {
namespace {

using std::chrono::milliseconds;

TEST(LogThrottle, GivesAWordAtOnceAndThenOneAnIntervalWithHowOften) {
  LogThrottle throttle(milliseconds{1000});
  const LogThrottle::TimePoint start{};
  EXPECT_EQ(throttle.happened(1, start), 1);
  EXPECT_EQ(throttle.happened(1, start), std::nullopt);
  EXPECT_EQ(throttle.happened(5, start + milliseconds{999}), std::nullopt);
  EXPECT_EQ(throttle.happened(1, start + milliseconds{1000}), 7);
  EXPECT_EQ(throttle.happened(1, start + milliseconds{1001}), std::nullopt);
  EXPECT_EQ(throttle.happened(1, start + milliseconds{9000}), 2);
}

}  // namespace
}  // namespace andon::base
