// SPDX-License-Identifier: Apache-2.0
#include "features/records/values.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::features {
namespace {

using testing::HasSubstr;

std::string outcome(const std::function<void()>& work) {
  try {
    work();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
    return error.message();
  }
  return "taken";
}

FeatureGroup parts() {
  FeatureGroup group;
  group.request = {.name = "parts",
                   .record_identifier = "part",
                   .event_time = "at",
                   .features = {{.name = "part", .type = FeatureType::text},
                                {.name = "at", .type = FeatureType::fractional},
                                {.name = "count", .type = FeatureType::integral}}};
  return group;
}

TEST(FeatureValues, AreOfTheirType) {
  const auto check = [](FeatureType type, const std::string& text) {
    return outcome([&] { check_value({.name = "x", .type = type}, text); });
  };
  for (const char* good : {"0", "-7", "9223372036854775807"}) {
    EXPECT_EQ(check(FeatureType::integral, good), "taken") << good;
  }
  for (const char* bad : {"", "1.0", "+1", " 1", "9223372036854775808", "x", "1e3"}) {
    EXPECT_EQ(check(FeatureType::integral, bad),
              "Validation Error: Value [" + std::string(bad) +
                  "] for FeatureName [x] is not of type Integral");
  }
  for (const char* good : {"0", "-7.5", "1e300", "0.1"}) {
    EXPECT_EQ(check(FeatureType::fractional, good), "taken") << good;
  }
  for (const char* bad : {"", "nan", "inf", "1,5", "0x1", "one"}) {
    EXPECT_THAT(check(FeatureType::fractional, bad), HasSubstr("not of type Fractional")) << bad;
  }
  EXPECT_EQ(check(FeatureType::text, "any \xc3\xa4"), "taken");
  EXPECT_THAT(check(FeatureType::text, "\xff"), HasSubstr("not of type String"));
}

TEST(FeatureValues, AnEventTimeIsSecondsOrIso8601) {
  const Feature seconds{.name = "t", .type = FeatureType::fractional};
  const Feature text{.name = "t", .type = FeatureType::text};
  EXPECT_EQ(parse_event_time(seconds, "1.000001"), 1'000'001);
  EXPECT_EQ(parse_event_time(text, "1970-01-01T00:00:01Z"), 1'000'000);
  EXPECT_EQ(parse_event_time(text, "1970-01-01T00:00:01.250Z"), 1'250'000);
  for (const char* bad : {"-1", "1e12", "now", ""}) {
    EXPECT_THAT(outcome([&] { (void)parse_event_time(seconds, bad); }), HasSubstr("seconds since"));
  }
  for (const char* bad :
       {"1", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "20261122T100000Z"}) {
    EXPECT_THAT(outcome([&] { (void)parse_event_time(text, bad); }), HasSubstr("yyyy-MM-dd'T'"))
        << bad;
  }
}

TEST(FeatureValues, ARecordHasIdentifierAndTimeAndNothingElseThanItsGroup) {
  const auto check = [](const FeatureValues& values) {
    return outcome([&] { (void)check_record(parts(), values); });
  };
  EXPECT_EQ(check({{"part", "a"}, {"at", "1"}}), "taken");
  EXPECT_THAT(check({{"at", "1"}}), HasSubstr("record identifier feature [part]"));
  EXPECT_THAT(check({{"part", ""}, {"at", "1"}}), HasSubstr("record identifier feature [part]"));
  EXPECT_THAT(check({{"part", "a"}}), HasSubstr("event time feature [at]"));
  EXPECT_THAT(check({{"part", "a"}, {"at", "1"}, {"other", "1"}}),
              HasSubstr("[other] is not in FeatureGroup parts"));
  EXPECT_THAT(check({{"part", "a"}, {"at", "1"}, {"at", "2"}}), HasSubstr("more than once"));
  EXPECT_THAT(check({{"part", std::string(kMostRecordBytes, 'x')}, {"at", "1"}}),
              HasSubstr("at most 358400"));
  const Record record = check_record(parts(), {{"part", "a"}, {"at", "2"}, {"count", "3"}});
  EXPECT_EQ(record.identifier, "a");
  EXPECT_EQ(record.event_us, 2'000'000);
}

}  // namespace
}  // namespace andon::features
