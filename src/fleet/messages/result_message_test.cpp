// SPDX-License-Identifier: Apache-2.0
#include "fleet/messages/result_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "fleet/names/topic.hpp"

namespace andon::fleet {
namespace {

constexpr const char* kDetections = R"({"timestamp": "2026-11-22T10:00:00.123Z", "thing": "line-1",
  "component": {"name": "com.ex.Inspect", "version": "1.2.0"},
  "model": {"component": "com.ex.Model", "version": "3.0.0", "sha256": "00"},
  "image": {"name": "tag.jpg", "width": 450, "height": 300},
  "detections": [{"class_id": 1, "label": "dent", "confidence": 0.5, "box": [1, 2, 3, 4]},
                 {"class_id": 0, "label": "scratch", "confidence": 0.87, "box": [1, 2, 3, 4]}],
  "ms": {"decode": 0.6}})";

TEST(ResultMessage, TellsTheSurestFinding) {
  const ResultMessage result = parse_result_message(kDetections);
  EXPECT_EQ(base::to_iso8601(result.time), "2026-11-22T10:00:00.123Z");
  EXPECT_EQ(result.image, "tag.jpg");
  EXPECT_EQ(result.component, "com.ex.Inspect");
  EXPECT_EQ(result.model_version, "3.0.0");
  EXPECT_EQ(result.label, "scratch");
  EXPECT_EQ(result.score, 0.87);
  EXPECT_EQ(result.verdict, "");
}

TEST(ResultMessage, ReadsClassesAnomaliesVerdictsAndErrors) {
  const std::string head = R"({"timestamp": "2026-11-22T10:00:00Z", "image": {"name": "a"}, )";
  const auto good = parse_result_message(
      head + R"("classes": [{"label": "ok", "confidence": 0.9}], "verdict": "NG"})");
  EXPECT_EQ(good.label, "ok");
  EXPECT_EQ(good.verdict, "NG");
  const auto odd = parse_result_message(head + R"("detections": [], "anomaly": {"score": 0.4}})");
  EXPECT_EQ(odd.label, "anomaly");
  EXPECT_EQ(odd.score, 0.4);
  const auto failed = parse_result_message(head + R"("error": {"code": "data_corrupted"}})");
  EXPECT_EQ(failed.error, "data_corrupted");
  EXPECT_FALSE(failed.score);
}

TEST(ResultMessage, RefusesWhatIsNoResult) {
  for (const char* text :
       {"", "x", "[]", "{}", R"({"timestamp": "yesterday", "image": {"name": "a"}})",
        R"({"timestamp": "2026-11-22T10:00:00Z"})",
        R"({"timestamp": "2026-11-22T10:00:00Z", "image": {"name": ""}})",
        R"({"timestamp": "2026-11-22T10:00:00Z", "image": {"name": "a"}, "detections": 7})"}) {
    EXPECT_THROW((void)parse_result_message(text), base::Error) << text;
  }
}

TEST(StoredMessage, IsReadAsItWasWritten) {
  const std::vector<std::string> digests{std::string(64, 'a'), std::string(64, '0')};
  EXPECT_EQ(parse_stored_message(make_stored_message(digests)), digests);
  const std::vector<std::string> most(kMaxStoredDigests, std::string(64, 'f'));
  EXPECT_EQ(parse_stored_message(make_stored_message(most)), most);
}

TEST(StoredMessage, RefusesOthers) {
  for (const char* text : {"", "{}", R"({"stored": "x"})", R"({"stored": ["x"]})",
                           R"({"stored": [7]})", R"([["stored"]])"}) {
    EXPECT_THROW((void)parse_stored_message(text), base::Error) << text;
  }
  EXPECT_THROW((void)parse_stored_message(make_stored_message(
                   std::vector<std::string>(kMaxStoredDigests + 1, std::string(64, 'f')))),
               base::Error);
}

TEST(ResultTopics, AreReadAsTheyAreWritten) {
  const DeviceTopics topics("line-1");
  EXPECT_EQ(topics.results(), "andon/things/line-1/results");
  EXPECT_EQ(thing_of_results(topics.results()), "line-1");
  EXPECT_EQ(topics.stored_by("mes"), "cmd/andon/line-1/stored/mes");
  EXPECT_EQ(consumer_of_stored(topics.stored_by("mes")), "mes");
  for (const char* topic :
       {"andon/things/results", "andon/things//results", "andon/things/a/b/results",
        "andon/things/a/resultsx", "dt/x/a/results"}) {
    EXPECT_FALSE(thing_of_results(topic)) << topic;
  }
  for (const char* topic : {"cmd/andon/a/stored/", "cmd/andon/a/stored/b/c", "cmd/andon//stored/b",
                            "cmd/other/a/stored/b", "cmd/andon/a/start/b"}) {
    EXPECT_FALSE(consumer_of_stored(topic)) << topic;
  }
}

}  // namespace
}  // namespace andon::fleet
