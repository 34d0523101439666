// SPDX-License-Identifier: Apache-2.0
#include "inspect/look/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::inspect {
namespace {

using testing::HasSubstr;

Settings read(std::string_view text) {
  Settings defaults;
  defaults.topic = "default/topic";
  return read_settings(base::parse_json(text, "test"), defaults);
}

TEST(Settings, AreReadFromTheWholeConfiguration) {
  const Settings settings = read(R"({
    "imageDirectory": "/images", "recursive": "true", "topic": "a/b", "confidence": 0.4, "iou": "0.5",
    "doubt": {"low": 0.1, "high": 0.9}, "anomaly": {"mapSide": 64, "low": -2, "high": "7.5"},
    "upload": {"bucket": "other", "maxPerHour": "5", "maxBytesOnDisk": 1000},
    "verdict": {"rules": [{"class": "scratch", "minScore": 0.6}], "otherwise": "DOUBT"},
    "accessControl": {}})");
  EXPECT_EQ(settings.sources, std::vector<std::string>{"/images"});
  EXPECT_TRUE(settings.is_recursive);
  EXPECT_EQ(settings.topic, "a/b");
  EXPECT_EQ(settings.confidence, 0.4);
  EXPECT_EQ(settings.iou, 0.5);
  EXPECT_EQ(settings.anomaly.map_side, 64);
  EXPECT_EQ(settings.anomaly.heat, (vision::HeatScale{-2, 7.5}));
  EXPECT_EQ(settings.uploads.low, 0.1);
  EXPECT_EQ(settings.uploads.high, 0.9);
  EXPECT_EQ(settings.upload_bucket, "other");
  EXPECT_EQ(settings.uploads_per_hour, 5);
  EXPECT_EQ(settings.upload_disk_bytes, 1000);
  ASSERT_TRUE(settings.verdict);
  EXPECT_EQ(settings.verdict->otherwise, Judgement::doubt);
  ASSERT_EQ(settings.verdict->rules.size(), 1U);
  EXPECT_EQ(settings.verdict->rules[0].name, "rule 1");
  EXPECT_EQ(settings.verdict->rules[0].min_score, 0.6);
}

TEST(Settings, KeepTheirDefaultsForWhatIsAbsentNullOrEmpty) {
  Settings expected;
  expected.topic = "default/topic";
  EXPECT_EQ(read("{}"), expected);
  EXPECT_EQ(read(R"({"topic": "", "imageDirectory": null, "doubt": {"low": null}})"), expected);
}

TEST(Settings, ThatAreWrongAreRefusedByName) {
  for (const auto& [text, problem] : std::vector<std::pair<const char*, const char*>>{
           {"[]", "not an object"},
           {R"({"confidence": 1.5})", "/confidence is 1.5, not within 0 and 1"},
           {R"({"confidence": "high"})", "/confidence is 'high', not a number"},
           {R"({"iou": []})", "/iou must be a number"},
           {R"({"topic": 7})", "/topic must be a text"},
           {R"({"doubt": 0.5})", "/doubt must be an object"},
           {R"({"doubt": {"low": 0.8, "high": 0.2}})", "/doubt/low is 0.8, more than high (0.2)"},
           {R"({"anomaly": {"mapSide": 257}})", "/anomaly/mapSide is 257, more than 256"},
           {R"({"anomaly": {"low": 2, "high": 1}})", "/anomaly/low is 2, not less than high (1)"},
           {R"({"verdict": []})", "/verdict must be an object"},
           {R"({"verdict": {"rules": [{"class": "a", "minscore": 1}]}})", "minscore"},
           {R"({"verdict": {"rules": [{"verdict": "BAD"}]}})",
            "/verdict/rules/0/verdict is \"BAD\" but must be one of OK, DOUBT, NG"},
           {R"({"verdict": {"rules": [{"minScore": 2, "maxScore": 1}]}})",
            "more than maxScore (1)"},
           {R"({"verdict": {"rules": [{"atLeast": 2, "atMost": 1}]}})", "more than atMost (1)"},
           {R"({"verdict": {"rules": [{"minArea": -0.1}]}})", "not within 0 and 1"},
           {R"({"verdict": {"rules": [{"region": [0, 0, 1]}]}})", "[x, y, width, height]"},
           {R"({"verdict": {"rules": [{"region": [0, 0, 0, 1]}]}})", "has no area"},
           {R"({"upload": {"maxPerHour": -1}})", "/upload/maxPerHour is -1"}}) {
    try {
      (void)read(text);
      ADD_FAILURE() << "accepted " << text;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
      EXPECT_THAT(error.message(), HasSubstr(problem));
    }
  }
}

}  // namespace
}  // namespace andon::inspect
