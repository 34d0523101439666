// SPDX-License-Identifier: Apache-2.0
#include "api/device/broker_refusals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace andon::api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr base::Timestamp kNow{};

TEST(BrokerRefusals, BecomeEvents) {
  const auto events = read_broker_refusals(
      R"({"refusals": [{"time": 1, "kind": "publish", "clientId": "line-1#2", "principal": "line-1",
          "address": "10.0.0.1", "fingerprint": "ab", "topic": "t/x", "reason": "no right"}],
          "leftOut": 3})",
      kNow);
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].operation, "Publish");
  EXPECT_EQ(events[0].principal, "thing/line-1");
  EXPECT_EQ(events[0].address, "10.0.0.1");
  EXPECT_THAT(events[0].resources, ElementsAre("topic/t/x", "cert/ab"));
  EXPECT_EQ(events[0].outcome, control::AuditOutcome::denied);
  EXPECT_EQ(events[1].operation, "RefusalsNotRecorded");
  EXPECT_EQ(events[1].count, 3U);
}

TEST(BrokerRefusals, WhatIsNoReportIsNothing) {
  for (const char* message :
       {"", "[]", "{", "{\"refusals\": 7}", "{\"refusals\": [7]}",
        "{\"refusals\": [{\"kind\": {}}]}", "{\"leftOut\": -5}", "{\"leftOut\": \"x\"}"}) {
    EXPECT_THAT(read_broker_refusals(message, kNow), IsEmpty()) << message;
  }
  std::string many = "{\"refusals\": [{}";
  for (int i = 0; i < 1000; ++i) many += ",{}";
  EXPECT_THAT(read_broker_refusals(many + "]}", kNow), SizeIs(100));
}

}  // namespace
}  // namespace andon::api
