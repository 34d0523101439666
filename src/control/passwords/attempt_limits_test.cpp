// SPDX-License-Identifier: Apache-2.0
#include "control/passwords/attempt_limits.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::control {
namespace {

using std::chrono::seconds;

class AttemptLimitsTest : public testing::Test {
 protected:
  // How many of `wanted` attempts were let through.
  int try_often(const Attempt& attempt, int wanted) {
    int taken = 0;
    for (int i = 0; i < wanted; ++i) {
      try {
        limits.take(attempt, now);
        ++taken;
      } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::resource_exhausted);
      }
    }
    return taken;
  }

  AttemptLimits limits;
  AttemptLimits::TimePoint now{std::chrono::hours(1)};
};

TEST_F(AttemptLimitsTest, AUserMayFailFiveTimesFromOneAddressAndThenOnceInHalfAMinute) {
  const Attempt eva{"eva", "10.0.0.1"};
  EXPECT_EQ(try_often(eva, 10), 5);
  now += seconds{29};
  EXPECT_EQ(try_often(eva, 1), 0);
  now += seconds{1};
  EXPECT_EQ(try_often(eva, 2), 1);
  EXPECT_EQ(try_often({"EVA", "10.0.0.1"}, 1), 0);  // the same user
  EXPECT_EQ(try_often({"eva", "10.0.0.2"}, 1), 1);  // from her own desk she still gets in
}

TEST_F(AttemptLimitsTest, WhatWasRightDoesNotCount) {
  const Attempt eva{"eva", "10.0.0.1"};
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(try_often(eva, 1), 1);
    limits.give_back(eva);
  }
}

TEST_F(AttemptLimitsTest, AnAddressMayTryThirtyNames) {
  int taken = 0;
  for (int i = 0; i < 50; ++i) taken += try_often({"user" + std::to_string(i), "10.0.0.1"}, 1);
  EXPECT_EQ(taken, 30);
}

TEST_F(AttemptLimitsTest, AUserMayBeTriedSixtyTimesFromAllAddresses) {
  int taken = 0;
  for (int i = 0; i < 100; ++i) taken += try_often({"eva", "10.0.0." + std::to_string(i)}, 1);
  EXPECT_EQ(taken, 60);
}

TEST_F(AttemptLimitsTest, TheAddressesOfOneNetworkOfIpv6AreOne) {
  const auto from = [&](const std::string& address) { return try_often({"eva", address}, 5); };
  EXPECT_EQ(from("2001:db8:1:2:a::1"), 5);
  EXPECT_EQ(from("2001:db8:1:2:b::2"), 0);
  EXPECT_EQ(from("2001:db8:1:3::2"), 5);
}

TEST_F(AttemptLimitsTest, TheTableHasABoundAndNobodyWhoFailedIsPushedOutOfIt) {
  const Attempt eva{"eva", "10.0.0.1"};
  EXPECT_EQ(try_often(eva, 5), 5);
  for (int i = 0; i < 20'000; ++i) {
    (void)try_often({"u" + std::to_string(i), "a" + std::to_string(i)}, 1);
  }
  EXPECT_LE(limits.size(), AttemptLimits::kMost + 1);
  EXPECT_EQ(try_often(eva, 1), 0);
  // Whose time is over makes room.
  now += std::chrono::hours(24);
  EXPECT_EQ(try_often({"new", "10.9.9.9"}, 6), 5);
  EXPECT_LE(limits.size(), 10U);
}

}  // namespace
}  // namespace andon::control
