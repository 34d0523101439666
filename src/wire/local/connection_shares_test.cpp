// SPDX-License-Identifier: Apache-2.0
#include "wire/local/connection_shares.hpp"

#include <gtest/gtest.h>

namespace andon::wire {
namespace {

constexpr ConnectionLimits kSmall{.all = 6, .of_user = 4, .guests = 4, .guests_of_user = 2};

TEST(ConnectionShares, AUsersOldestGuestGoesForItsNext) {
  ConnectionShares shares(kSmall);
  EXPECT_EQ(shares.admit(1, 1000), std::nullopt);
  EXPECT_EQ(shares.admit(2, 1000), std::nullopt);
  EXPECT_EQ(shares.admit(3, 1000), 1U);
  EXPECT_EQ(shares.admit(4, 1001), std::nullopt);
  EXPECT_EQ(shares.admit(5, 1000), 2U);
}

TEST(ConnectionShares, WhatIsHeldStaysAndAFullUserIsRefused) {
  ConnectionShares shares(kSmall);
  for (ConnectionShares::Id id = 1; id <= 4; ++id) {
    EXPECT_EQ(shares.admit(id, 1000), std::nullopt) << id;
    shares.hold(id);
  }
  EXPECT_EQ(shares.admit(5, 1000), 5U);
  EXPECT_EQ(shares.admit(6, 1001), std::nullopt);
  shares.release(2);
  EXPECT_EQ(shares.admit(7, 1000), 2U);
  shares.remove(7);
  EXPECT_EQ(shares.admit(8, 1000), std::nullopt);
}

TEST(ConnectionShares, InAllTheOneWithMostGuestsGivesWay) {
  ConnectionShares shares(kSmall);
  EXPECT_EQ(shares.admit(1, 1), std::nullopt);
  EXPECT_EQ(shares.admit(2, std::nullopt), std::nullopt);
  EXPECT_EQ(shares.admit(3, std::nullopt), std::nullopt);
  EXPECT_EQ(shares.admit(4, 2), std::nullopt);
  EXPECT_EQ(shares.admit(5, 3), 2U);
}

TEST(ConnectionShares, NobodyIsAdmittedWhereAllAreHeld) {
  ConnectionShares shares(kSmall);
  for (ConnectionShares::Id id = 1; id <= 6; ++id) {
    EXPECT_EQ(shares.admit(id, static_cast<uid_t>(id)), std::nullopt);
    shares.hold(id);
  }
  EXPECT_EQ(shares.admit(7, 7), 7U);
}

}  // namespace
}  // namespace andon::wire
