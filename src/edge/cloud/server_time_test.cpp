// SPDX-License-Identifier: Apache-2.0
#include "edge/cloud/server_time.hpp"

#include <gtest/gtest.h>

#include "base/testing/fake_clock.hpp"
#include "edge/testing/fake_loop_clock.hpp"

namespace andon::edge {
namespace {

using std::chrono::days;
using std::chrono::hours;

class ServerTimeTest : public testing::Test {
 protected:
  const base::Timestamp begin_ = base::from_epoch_millis(1'795'343'912'000);
  base::FakeClock own_{begin_};
  FakeLoopClock loop_clock_;
  EventLoop loop_{loop_clock_};
  ServerTime time_{own_, loop_};
};

TEST_F(ServerTimeTest, IsTheDevicesOwnUntilTheServerHasAnswered) {
  EXPECT_FALSE(time_.is_known());
  EXPECT_EQ(time_.own_is_ahead(), std::nullopt);
  own_.advance(hours(1));
  EXPECT_EQ(time_.now(), begin_ + hours(1));
}

TEST_F(ServerTimeTest, GoesOnWhateverTheDevicesClockIsSetTo) {
  time_.learn(begin_ + days(70));
  loop_clock_.advance(hours(5));
  for (const auto jump : {hours(1), hours(-24 * 3650), hours(24 * 7300)}) {
    own_.advance(jump);
    EXPECT_EQ(time_.now(), begin_ + days(70) + hours(5));
  }
}

TEST_F(ServerTimeTest, TellsHowFarTheDevicesClockIsOff) {
  time_.learn(begin_ - days(3));
  EXPECT_EQ(time_.own_is_ahead(), days(3));
  own_.advance(-days(4));
  EXPECT_EQ(time_.own_is_ahead(), -days(1));
}

}  // namespace
}  // namespace andon::edge
