// SPDX-License-Identifier: Apache-2.0
#include "recipe/deployment_document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace andon::recipe {
namespace {

constexpr std::string_view kDocument = R"({
  "deploymentId": "11111111-2222-3333-4444-555555555555",
  "schemaDate": "2021-05-17",
  "deploymentName": "d1",
  "configurationArn": "arn:aws:greengrass:us-east-1:000000000000:configuration:thinggroup/G1:1",
  "creationTimestamp": 1795343000000,
  "components": {
    "com.example.A": {
      "version": "1.0.0",
      "configurationUpdate": {
        "merge": {
          "msg": "x"
        },
        "reset": [
          "/old/key"
        ]
      },
      "runWith": {
        "posixUser": "u:g",
        "windowsUser": "w",
        "systemResourceLimits": {
          "memory": 102400,
          "cpus": 1.5
        }
      }
    },
    "com.example.B": {
      "version": "^2.0.0"
    }
  },
  "failureHandlingPolicy": "DO_NOTHING",
  "componentUpdatePolicy": {
    "timeout": 30,
    "action": "SKIP_NOTIFY_COMPONENTS"
  },
  "configurationValidationPolicy": {
    "timeout": 20
  },
  "requiredCapabilities": [
    "LINUX_RESOURCE_LIMITS"
  ]
}
)";

TEST(DeploymentDocument, ReadsEveryField) {
  const auto document = parse_deployment_document(kDocument);
  EXPECT_EQ(document.deployment_id, "11111111-2222-3333-4444-555555555555");
  EXPECT_EQ(document.creation_timestamp_ms, 1795343000000);
  const auto& a = document.components.at("com.example.A");
  EXPECT_EQ(a.version, "1.0.0");
  EXPECT_EQ(base::to_text(*a.configuration_update.merge), R"({"msg":"x"})");
  EXPECT_THAT(a.configuration_update.reset, testing::ElementsAre("/old/key"));
  EXPECT_EQ(a.run_with->posix_user, "u:g");
  EXPECT_EQ(a.run_with->memory_kib, 102400);
  EXPECT_EQ(a.run_with->cpus, 1.5);
  EXPECT_TRUE(document.components.at("com.example.B").configuration_update.empty());
  EXPECT_EQ(document.failure_handling, FailureHandling::do_nothing);
  EXPECT_EQ(document.update_action, UpdateAction::skip_notify_components);
  EXPECT_EQ(document.update_timeout, std::chrono::seconds(30));
  EXPECT_EQ(document.validation_timeout, std::chrono::seconds(20));
  EXPECT_THAT(document.required_capabilities, testing::ElementsAre("LINUX_RESOURCE_LIMITS"));
}

TEST(DeploymentDocument, IsWrittenAsItWasRead) {
  EXPECT_EQ(base::to_pretty_text(to_json(parse_deployment_document(kDocument))), kDocument);
}

TEST(DeploymentDocument, ReadsKeysInAnyCaseAndFillsDefaults) {
  const auto document = parse_deployment_document(
      R"({"DeploymentId":"d","Components":{"A":{"Version":"1.0.0",
          "ConfigurationUpdate":{"MERGE":{"K":1},"RESET":[""]}}}})");
  EXPECT_EQ(document.deployment_id, "d");
  const auto& update = document.components.at("A").configuration_update;
  EXPECT_EQ(base::to_text(*update.merge), R"({"K":1})");
  EXPECT_THAT(update.reset, testing::ElementsAre(""));
  EXPECT_EQ(document.failure_handling, FailureHandling::rollback);
  EXPECT_EQ(document.update_action, UpdateAction::notify_components);
  EXPECT_EQ(document.update_timeout, std::chrono::seconds(60));
}

TEST(DeploymentDocument, FindsAllProblemsWithTheirPlaces) {
  const auto check = check_deployment_document(base::parse_json(R"({
    "deploymentId": 1, "creationTimestamp": "now", "failureHandlingPolicy": "PRAY",
    "components": {"A": {}, "B": {"version": "latest"}, "C": 3,
      "D": {"version": "1.0.0", "configurationUpdate": {"merge": [], "reset": ["x", 1]},
            "runWith": {"systemResourceLimits": {"memory": 0, "cpus": -1}}}},
    "componentUpdatePolicy": {"timeout": -1, "action": "X"}, "requiredCapabilities": [1]})",
                                                                "the document"));
  EXPECT_FALSE(check.document);
  std::vector<std::string> places;
  for (const auto& problem : check.problems) places.push_back(problem.place);
  EXPECT_THAT(
      places,
      testing::UnorderedElementsAre(
          "/deploymentId", "/creationTimestamp", "/failureHandlingPolicy", "/components/A/version",
          "/components/B/version", "/components/C", "/components/C/version",
          "/components/D/configurationUpdate/merge", "/components/D/configurationUpdate/reset/0",
          "/components/D/configurationUpdate/reset/1",
          "/components/D/runWith/systemResourceLimits/memory",
          "/components/D/runWith/systemResourceLimits/cpus", "/componentUpdatePolicy/timeout",
          "/componentUpdatePolicy/action", "/requiredCapabilities"))
      << to_text(check.problems);
  EXPECT_THROW(static_cast<void>(parse_deployment_document("[]")), base::Error);
  EXPECT_THROW(static_cast<void>(parse_deployment_document("{")), base::Error);
}

TEST(DeploymentDocument, NamesTheTargetOfAConfigurationArn) {
  EXPECT_EQ(target_of("arn:aws:greengrass:us-east-1:000000000000:configuration:thinggroup/G1:12"),
            "thinggroup/G1");
  EXPECT_EQ(target_of("arn:aws:greengrass:local:000000000000:configuration:thing/dev1:1"),
            "thing/dev1");
  EXPECT_EQ(target_of("something"), "something");
}

}  // namespace
}  // namespace andon::recipe
