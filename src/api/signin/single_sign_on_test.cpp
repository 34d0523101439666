// SPDX-License-Identifier: Apache-2.0
#include "api/signin/single_sign_on.hpp"

#include <gtest/gtest.h>

namespace andon::api {
namespace {

TEST(SingleSignOn, ASessionIsNamedAfterWhoTheTokenIsOf) {
  EXPECT_EQ(session_name_of({{"preferred_username", "eva"}, {"sub", "7f3a"}}), "eva");
  EXPECT_EQ(session_name_of({{"email", "eva@plant.example"}, {"sub", "7f3a"}}),
            "eva@plant.example");
  EXPECT_EQ(session_name_of({{"sub", "a b/c:d"}}), "abcd");
  EXPECT_EQ(session_name_of({{"preferred_username", "ß"}, {"sub", "7f3a"}}), "7f3a");
  EXPECT_EQ(session_name_of({{"sub", std::string(200, 'x')}}).size(), 64U);
  EXPECT_EQ(session_name_of({{"sub", 7}}), "console");
}

TEST(SingleSignOn, WithoutAnIssuerItIsOff) {
  const base::SystemClock clock;
  EXPECT_FALSE(SingleSignOn({}, clock).is_on());
}

}  // namespace
}  // namespace andon::api
