// SPDX-License-Identifier: Apache-2.0
#include "edge/shadows/sync_settings.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::edge {
namespace {

SyncSettings read(std::string_view text) {
  return read_sync_settings(base::parse_json(text, "test").as_object(), "core");
}

TEST(SyncSettings, AreThoseOfTheShadowManager) {
  const SyncSettings settings = read(R"({
    "strategy": {"type": "periodic", "delay": 60},
    "synchronize": {
      "direction": "deviceToCloud",
      "coreThing": {"classic": false, "namedShadows": ["line", "camera"]},
      "shadowDocuments": [{"thingName": "sensor", "namedShadows": ["a"]}],
      "shadowDocumentsMap": {"other": {"classic": "true"}}}})");
  EXPECT_EQ(
      settings.shadows,
      (std::set<ShadowKey>{
          {"core", "line"}, {"core", "camera"}, {"sensor", ""}, {"sensor", "a"}, {"other", ""}}));
  EXPECT_EQ(settings.direction, SyncDirection::to_server);
  EXPECT_EQ(settings.period, std::chrono::seconds(60));
}

TEST(SyncSettings, WithoutAnyNothingIsSynchronizedAndWithoutAStrategyItIsInRealTime) {
  EXPECT_TRUE(read("{}").shadows.empty());
  const SyncSettings settings = read(R"({"synchronize": {"coreThing": {}}})");
  EXPECT_EQ(settings.shadows, (std::set<ShadowKey>{{"core", ""}}));
  EXPECT_FALSE(settings.period);
  EXPECT_EQ(settings.direction, SyncDirection::both);
}

TEST(SyncSettings, WhatIsWrongIsNamed) {
  for (
      const char* text :
      {R"({"strategy": {"type": "sometimes"}})", R"({"synchronize": {"direction": "up"}})",
       R"({"synchronize": {"coreThing": {"namedShadows": ["a/b"]}}})",
       R"({"synchronize": {"shadowDocuments": [{}]}})",
       R"({"strategy": {"type": "periodic", "delay": 0}})",
       R"({"synchronize": {"coreThing": {"namedShadows": ["AWSManagedGreengrassV2Deployment"]}}})"}) {
    EXPECT_THROW((void)read(text), base::Error) << text;
  }
}

}  // namespace
}  // namespace andon::edge
