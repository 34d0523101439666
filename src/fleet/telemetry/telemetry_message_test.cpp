// SPDX-License-Identifier: Apache-2.0
#include "fleet/telemetry/telemetry_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error/error.hpp"

namespace andon::fleet {
namespace {

using testing::HasSubstr;

TelemetryPoint point(std::int64_t time_ms) {
  TelemetryPoint made{.time = base::from_epoch_millis(time_ms)};
  for (std::size_t i = 0; i < kFigures; ++i) made.figures[i] = static_cast<double>(i) + 0.25;
  return made;
}

std::string refusal(const std::string& text) {
  try {
    (void)parse_telemetry_message(text);
  } catch (const base::Error& error) {
    return error.message();
  }
  return "";
}

TEST(TelemetryMessage, WhatADeviceWritesIsReadBack) {
  const std::string text = base::to_text(to_telemetry_message(point(1'795'343'912'000)));
  const auto read = parse_telemetry_message(text);
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(base::to_epoch_millis(read[0].time), 1'795'343'912'000);
  EXPECT_EQ(read[0].figures, point(0).figures);
  EXPECT_LT(text.size(), 1400U);
}

TEST(TelemetryMessage, WhatIsNotKnownIsLeftOutAndStaysUnknown) {
  TelemetryPoint some{.time = base::from_epoch_millis(1000)};
  at(some.figures, Figure::cpu_percent) = 12.3456;
  const json::object written = to_telemetry_message(some);
  EXPECT_EQ(base::to_text(written),
            R"({"Schema":"2022-06-30","ADP":[{"TS":1000,"NS":"SystemMetrics","M":[{"N":"CpuUsage",)"
            R"("Average":12.35,"U":"Percent"}]}]})");
  const auto read = parse_telemetry_message(base::to_text(written));
  EXPECT_FALSE(at(read.at(0).figures, Figure::disk_free));
}

TEST(TelemetryMessage, OfTheClassicNucleusPointsOfDifferentTimesStayApart) {
  const auto read = parse_telemetry_message(R"({"Schema": "2022-06-30", "ADP": [
    {"TS": 2000, "NS": "SystemMetrics", "M": [{"N": "CpuUsage", "Sum": 13, "U": "Percent"}]},
    {"TS": 1000, "NS": "SystemMetrics", "M": [{"N": "CpuUsage", "Maximum": 7.5, "U": "Percent"},
      {"N": "SomethingNew", "Average": 1}]},
    {"TS": 2000, "NS": "GreengrassComponents",
     "M": [{"N": "NumberOfComponentsBroken", "Average": 2, "U": "Count"}]},
    {"TS": 3000, "NS": "com.example.Other", "M": [{"N": "CpuUsage", "Average": 99}]}]})");
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(at(read[0].figures, Figure::cpu_percent), 7.5);
  EXPECT_EQ(at(read[1].figures, Figure::cpu_percent), 13);
  EXPECT_EQ(at(read[1].figures, Figure::broken), 2);
}

TEST(TelemetryMessage, WhatIsNoneIsRefusedByTheNameOfTheMember) {
  EXPECT_THAT(refusal("[]"), HasSubstr("telemetry message"));
  EXPECT_THAT(refusal(R"({"ADP": 1})"), HasSubstr("ADP"));
  EXPECT_THAT(refusal(R"({"ADP": [{"NS": "SystemMetrics", "M": []}]})"), HasSubstr("TS"));
  EXPECT_THAT(refusal(R"({"ADP": [{"TS": 1, "NS": "SystemMetrics", "M": [{"N": 1}]}]})"),
              HasSubstr("ADP[0].M[0].N"));
  EXPECT_THAT(refusal(R"({"ADP": [{"TS": 1, "NS": "SystemMetrics",
                          "M": [{"N": "CpuUsage", "Average": "x"}]}]})"),
              HasSubstr("Average"));
  EXPECT_THAT(refusal(std::string(300'000, ' ')), HasSubstr("telemetry message"));
  EXPECT_TRUE(parse_telemetry_message("{}").empty());
}

}  // namespace
}  // namespace andon::fleet
