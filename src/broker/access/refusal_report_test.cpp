// SPDX-License-Identifier: Apache-2.0
#include "broker/access/refusal_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace andon::broker {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr RefusalReport::TimePoint kNow{};

TEST(RefusalReport, TellsWhatItKnowsAndThenNothing) {
  RefusalReport report;
  EXPECT_FALSE(report.take());
  report.add({.kind = "publish", .client_id = "line-1", .topic = "a/b", .reason = "no"}, 1234,
             kNow);
  EXPECT_EQ(report.take(),
            "{\"refusals\":[{\"time\":1234,\"kind\":\"publish\",\"clientId\":\"line-1\","
            "\"topic\":\"a/b\",\"reason\":\"no\"}],\"leftOut\":0}");
  EXPECT_FALSE(report.take());
}

TEST(RefusalReport, TextsOfClientsAreCutAndEscaped) {
  RefusalReport report;
  report.add({.kind = "connect", .client_id = "a\"\xff\n"}, 1, kNow);
  report.add({.kind = "connect", .client_id = std::string(10'000, 'x')}, 2, kNow);
  const std::string message = report.take().value();
  EXPECT_THAT(message, HasSubstr("a\\\"\xEF\xBF\xBD\\n"));
  EXPECT_LT(message.size(), 1000U);
}

TEST(RefusalReport, AFloodIsCounted) {
  RefusalReport report;
  for (int i = 0; i < 1000; ++i) report.add({.kind = "connect"}, 1, kNow);
  const std::string message = report.take().value();
  EXPECT_THAT(message, HasSubstr("\"leftOut\":950"));
  report.add({.kind = "connect"}, 1, kNow);
  EXPECT_EQ(report.take(), "{\"refusals\":[],\"leftOut\":1}");
  report.add({.kind = "connect"}, 1, kNow + std::chrono::seconds(2));
  EXPECT_THAT(report.take().value(), HasSubstr("\"leftOut\":0"));
}

}  // namespace
}  // namespace andon::broker
