// SPDX-License-Identifier: Apache-2.0
#include "edge/logs/log_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json/json.hpp"

namespace andon::edge {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

ReadLogSettings read(std::string_view text) {
  const auto configuration = base::parse_json(text, "test");
  return read_log_settings(configuration.as_object());
}

TEST(LogSettings, AreReadInTheShapeOfAwssComponent) {
  const ReadLogSettings got = read(R"({
    "logsUploaderConfiguration": {
      "componentLogsConfigurationMap": {
        "com.example.App": {"minimumLogLevel": "WARN", "diskSpaceLimit": "20",
                            "diskSpaceLimitUnit": "MB", "deleteLogFileAfterCloudUpload": "true"},
        "com.example.Other": {}},
      "componentLogsConfiguration": [{"componentName": "com.example.Listed", "diskSpaceLimit": 3}]},
    "periodicUploadIntervalSec": "60"})");
  EXPECT_THAT(got.problems, IsEmpty());
  EXPECT_EQ(got.settings.interval, std::chrono::seconds(60));
  const std::map<std::string, LogRule, std::less<>> expected = {
      {"com.example.App", {LogLevel::warn, 20U << 20U, true, ""}},
      {"com.example.Listed", {LogLevel::info, 3U << 10U, false, ""}},
      {"com.example.Other", {}}};
  EXPECT_EQ(got.settings.components, expected);
}

TEST(LogSettings, WhatCannotBeUsedIsNamedAndTheRestCounts) {
  const ReadLogSettings got = read(R"({
    "logsUploaderConfiguration": {
      "systemLogsConfiguration": {"uploadToCloudWatch": "true"},
      "componentLogsConfigurationMap": {
        "../passwords": {}, "a/b": {},
        "com.example.App": {"minimumLogLevel": "LOUD", "logFileRegex": ".*"}}},
    "periodicUploadIntervalSec": 0})");
  EXPECT_EQ(got.settings.interval, std::chrono::seconds(300));
  ASSERT_EQ(got.settings.components.size(), 1U);
  EXPECT_EQ(got.settings.components.at("com.example.App"), LogRule{});
  EXPECT_THAT(got.problems,
              testing::UnorderedElementsAre(
                  HasSubstr("periodicUploadIntervalSec"), HasSubstr("systemLogsConfiguration"),
                  HasSubstr("../passwords"), HasSubstr("a/b"), HasSubstr("minimumLogLevel"),
                  HasSubstr("logFileRegex")));
}

TEST(LogSettings, AComponentMayHaveFilesOfItsOwnAndMessagesOfSeveralLines) {
  const ReadLogSettings got = read(R"({
    "logsUploaderConfiguration": {"componentLogsConfigurationMap": {
      "com.example.App": {"logFileDirectoryPath": "/var/log/app", "logFileRegex": "^app.*[.]log$",
                          "multiLineStartPattern": "^\\d{4}"},
      "com.example.Named": {"logFileDirectoryPath": "/var/log/named"}}}})");
  EXPECT_THAT(got.problems, IsEmpty());
  const LogRule& app = got.settings.components.at("com.example.App");
  EXPECT_EQ(app.directory, "/var/log/app");
  EXPECT_EQ(app.file_pattern, "^app.*[.]log$");
  EXPECT_EQ(app.start_pattern, "^\\d{4}");
  EXPECT_EQ(got.settings.components.at("com.example.Named").file_pattern,
            R"(^com\.example\.Named\w*\.log)");
}

TEST(LogSettings, PatternsAndDirectoriesThatCannotBeAreNamed) {
  const ReadLogSettings got = read(R"({
    "logsUploaderConfiguration": {"componentLogsConfigurationMap": {
      "a": {"logFileDirectoryPath": "logs", "logFileRegex": ".*"},
      "b": {"logFileDirectoryPath": "/var/log", "logFileRegex": "(", "multiLineStartPattern": "["}}}})");
  EXPECT_EQ(got.settings.components.at("a"), LogRule{});
  EXPECT_EQ(got.settings.components.at("b").file_pattern, R"(^b\w*\.log)");
  EXPECT_THAT(got.problems, testing::UnorderedElementsAre(HasSubstr("a.logFileDirectoryPath"),
                                                          HasSubstr("b.logFileRegex"),
                                                          HasSubstr("b.multiLineStartPattern")));
}

TEST(LogSettings, LinesMayGoToABucketOrATopic) {
  const ReadLogSettings got = read(R"({
    "logsUploaderConfiguration": {"componentLogsConfigurationMap": {
      "a": {"andonDestination": "s3://line-logs/kept"}, "b": {"andonDestination": "s3://line-logs"},
      "c": {"andonDestination": "mqtt:///line/{thing}/logs"},
      "d": {"andonDestination": "mqtts://mes.example:8883/logs?qos=0"}}}})");
  EXPECT_THAT(got.problems, IsEmpty());
  EXPECT_EQ(got.settings.components.at("a").destination, "s3://line-logs/kept");
  EXPECT_EQ(got.settings.components.at("c").destination, "mqtt:///line/{thing}/logs");
  EXPECT_EQ(got.settings.components.size(), 4U);
}

TEST(LogSettings, LinesThatCannotGoWhereTheyShallStayOnTheDevice) {
  for (const std::string destination :
       {"http://x/y", "s3://", "s3://a b/c", "mqtt://", "mqtt:///a/#", "mqtt:///$aws/things/x/jobs",
        "mqtt://user@host/topic"}) {
    const ReadLogSettings got = read(
        R"({"logsUploaderConfiguration": {"componentLogsConfigurationMap":
            {"a": {"andonDestination": ")" +
        destination + R"("}}}})");
    EXPECT_THAT(got.settings.components, IsEmpty()) << destination;
    EXPECT_THAT(got.problems, testing::ElementsAre(HasSubstr("andonDestination"))) << destination;
  }
}

TEST(LogSettings, ALineSaysItsLevelNearItsBeginning) {
  const std::vector<std::pair<const char*, std::optional<LogLevel>>> cases = {
      {"2026-11-30T10:00:00Z [ERROR] camera lost", LogLevel::error},
      {"INFO:root:begun", LogLevel::info},
      {"[warn] hot", LogLevel::warn},
      {R"({"level":"debug","message":"x"})", LogLevel::debug},
      {"CRITICAL", LogLevel::error},
      {"there was no error and no info", std::nullopt},
      {"INFORMATION", std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& [line, level] : cases) EXPECT_EQ(level_of(line), level) << line;
}

}  // namespace
}  // namespace andon::edge
