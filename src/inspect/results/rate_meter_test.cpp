// SPDX-License-Identifier: Apache-2.0
#include "inspect/results/rate_meter.hpp"

#include <gtest/gtest.h>

namespace andon::inspect {
namespace {

using namespace std::chrono_literals;

class RateMeterTest : public testing::Test {
 protected:
  // `number` of them, one each `between`, the first at `from`.
  void count(int number, std::chrono::milliseconds from, std::chrono::milliseconds between) {
    for (int i = 0; i < number; ++i) meter_.count(start_ + from + i * between);
  }

  const RateMeter::Time start_{std::chrono::hours(7)};
  RateMeter meter_{start_};
};

TEST_F(RateMeterTest, IsNothingWhereNothingCame) {
  EXPECT_EQ(meter_.per_second(start_), 0);
  EXPECT_EQ(meter_.per_second(start_ + 1h), 0);
}

TEST_F(RateMeterTest, IsTheMeanSinceTheBeginningInTheFirstMinute) {
  count(1, 10ms, 0ms);
  EXPECT_DOUBLE_EQ(meter_.per_second(start_ + 100ms), 1);  // and not ten a second
  count(19, 510ms, 500ms);
  EXPECT_DOUBLE_EQ(meter_.per_second(start_ + 10s), 2);
  EXPECT_DOUBLE_EQ(meter_.per_second(start_ + 40s), 0.5);
}

TEST_F(RateMeterTest, ForgetsWhatIsOlderThanAMinute) {
  count(3000, 0ms, 100ms);  // ten a second, for five minutes
  EXPECT_NEAR(meter_.per_second(start_ + 300s), 10, 0.01);
  count(60, 300s, 1s);
  EXPECT_NEAR(meter_.per_second(start_ + 360s), 1, 0.01);
  EXPECT_NEAR(meter_.per_second(start_ + 390s), 0.5, 0.01);
  EXPECT_EQ(meter_.per_second(start_ + 421s), 0);
}

TEST_F(RateMeterTest, GoesOnAfterALongPause) {
  count(100, 0ms, 10ms);
  count(5, 2h, 10ms);
  EXPECT_NEAR(meter_.per_second(start_ + 2h + 1s), 5.0 / 61, 0.002);
}

TEST_F(RateMeterTest, CountsASlowLine) {
  count(20, 0ms, 10s);
  EXPECT_NEAR(meter_.per_second(start_ + 200s), 0.1, 0.02);
}

}  // namespace
}  // namespace andon::inspect
