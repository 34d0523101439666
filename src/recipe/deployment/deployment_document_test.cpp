// SPDX-License-Identifier: Apache-2.0
#include "recipe/deployment/deployment_document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "recipe/reader/problem.hpp"

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
  EXPECT_EQ(a.run_with->limits.memory_kib, 102400);
  EXPECT_EQ(a.run_with->limits.cpus, 1.5);
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
  Problems problems;
  (void)parse_deployment(base::parse_json(R"({
    "deploymentId": 1, "creationTimestamp": "now", "failureHandlingPolicy": "PRAY",
    "components": {"A": {}, "B": {"version": "latest"}, "C": 3,
      "D": {"version": "1.0.0", "configurationUpdate": {"merge": [], "reset": ["x", 1]},
            "runWith": {"systemResourceLimits": {"memory": 0, "cpus": -1}}}},
    "componentUpdatePolicy": {"timeout": -1, "action": "X"}, "requiredCapabilities": [1]})",
                                          "the document"),
                         Strictness::device, problems);
  std::vector<std::string> places;
  for (const auto& problem : problems) places.push_back(problem.place);
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
      << to_text(problems);
  EXPECT_THROW(static_cast<void>(parse_deployment_document("[]")), base::Error);
  EXPECT_THROW(static_cast<void>(parse_deployment_document("{")), base::Error);
}

// One component as both doors get it: from an operator, and from a server.
struct Doors {
  Problems request;
  Problems device;
};
Doors ask_both(const std::string& version, const std::string& merge, const std::string& members) {
  Doors doors;
  const auto component = [&](const std::string& key, const std::string& merge_text) {
    return R"({"components":{"A":{")" + key + R"(":)" + version + "," + members +
           R"("configurationUpdate":{"merge":)" + merge_text + "}}}}";
  };
  const std::string quoted = base::to_text(json::value(merge));
  (void)parse_deployment(base::parse_json(component("componentVersion", quoted), "request"),
                         Strictness::request, doors.request);
  try {
    (void)parse_deployment(base::parse_json(component("version", merge), "document"),
                           Strictness::device, doors.device);
  } catch (const base::Error& error) {  // `merge` is no JSON, or nested too deep
    doors.device.push_back({"", error.message()});
  }
  return doors;
}

std::string nested(int depth) {
  std::string text;
  for (int i = 1; i < depth; ++i) text += R"({"a":)";
  return text + "{}" + std::string(static_cast<std::size_t>(depth - 1), '}');
}

TEST(DeploymentDocument, BothDoorsAgreeOnEveryMember) {
  struct Case {
    bool good;
    std::string version = R"("1.0.0")";
    std::string merge = "{}";
    std::string members;  // of the component, each with its comma
  };
  const auto limits = [](const std::string& text) {
    return R"("runWith":{"systemResourceLimits":{)" + text + "}},";
  };
  const std::vector<Case> cases{
      {true},
      {true, R"(">=1.0.0 <2.0.0")"},
      {true, R"("^1.0")"},
      {false, "\"\""},
      {false, "null"},
      {false, "1"},
      {false, R"("latest")"},
      {true, R"("1.0.0")", R"({"a":{"b":[1,null]}})"},
      {false, R"("1.0.0")", "[]"},
      {false, R"("1.0.0")", "{"},
      {true, R"("1.0.0")", nested(20)},
      {false, R"("1.0.0")", nested(40)},
      {true, R"("1.0.0")", "{}", R"("runWith":null,)"},
      {true, R"("1.0.0")", "{}", R"("runWith":{},)"},
      {true, R"("1.0.0")", "{}", R"("runWith":{"posixUser":"u:g","windowsUser":null},)"},
      {false, R"("1.0.0")", "{}", R"("runWith":{"posixUser":7},)"},
      {false, R"("1.0.0")", "{}", R"("runWith":[],)"},
      {true, R"("1.0.0")", "{}", limits(R"("memory":1,"cpus":0.5)")},
      {true, R"("1.0.0")", "{}", limits(R"("memory":null)")},
      {false, R"("1.0.0")", "{}", limits(R"("memory":0)")},
      {false, R"("1.0.0")", "{}", limits(R"("memory":-1)")},
      {false, R"("1.0.0")", "{}", limits(R"("memory":1.5)")},
      {false, R"("1.0.0")", "{}", limits(R"("memory":"1")")},
      {false, R"("1.0.0")", "{}", limits(R"("memory":18446744073709551615)")},
      {false, R"("1.0.0")", "{}", limits(R"("cpus":0)")},
      {false, R"("1.0.0")", "{}", limits(R"("cpus":-0.5)")},
      {false, R"("1.0.0")", "{}", limits(R"("cpus":"1")")},
  };
  for (const Case& one : cases) {
    const Doors doors = ask_both(one.version, one.merge, one.members);
    const std::string what = one.version + " " + one.merge + " " + one.members;
    EXPECT_EQ(doors.request.empty(), one.good) << what << ": " << to_text(doors.request);
    EXPECT_EQ(doors.device.empty(), one.good) << what << ": " << to_text(doors.device);
  }
}

TEST(DeploymentDocument, BothDoorsAgreeOnPointersAndPolicies) {
  struct Case {
    bool good;
    std::string reset = "[]";
    std::string policies;  // with $ for the timeout's key
  };
  const std::vector<Case> cases{
      {true, R"(["","/a/b~1c"])"},
      {false, R"(["a"])"},
      {false, "[1]"},
      {false, R"("/a")"},
      {true, "[]", R"("failureHandlingPolicy":"DO_NOTHING")"},
      {false, "[]", R"("failureHandlingPolicy":"PRAY")"},
      {false, "[]", R"("failureHandlingPolicy":1)"},
      {true, "[]", R"("componentUpdatePolicy":{"$":0,"action":"SKIP_NOTIFY_COMPONENTS"})"},
      {false, "[]", R"("componentUpdatePolicy":{"action":"X"})"},
      {false, "[]", R"("componentUpdatePolicy":{"$":-1})"},
      {false, "[]", R"("componentUpdatePolicy":5)"},
      {true, "[]", R"("configurationValidationPolicy":{"$":2592000})"},
      {false, "[]", R"("configurationValidationPolicy":{"$":"60"})"},
  };
  for (const Case& one : cases) {
    const auto with_key = [&](const std::string& key) {
      std::string text = one.policies;
      if (const auto at = text.find('$'); at != std::string::npos) text.replace(at, 1, key);
      return text;
    };
    const std::string update = R"(,"configurationUpdate":{"reset":)" + one.reset + "}}}";
    const std::string more = one.policies.empty() ? "" : "," + with_key("timeout");
    Problems request;
    (void)parse_deployment(
        base::parse_json(R"({"components":{"A":{"componentVersion":"1.0.0")" + update +
                             R"(,"deploymentPolicies":{)" + with_key("timeoutInSeconds") + "}}",
                         "request"),
        Strictness::request, request);
    Problems device;
    (void)parse_deployment(
        base::parse_json(R"({"components":{"A":{"version":"1.0.0")" + update + more + "}",
                         "document"),
        Strictness::device, device);
    EXPECT_EQ(request.empty(), one.good) << one.reset << one.policies << to_text(request);
    EXPECT_EQ(device.empty(), one.good) << one.reset << one.policies << to_text(device);
  }
}

TEST(DeploymentDocument, ARequestIsReadWithExactKeysAndIsWrittenSoThatADeviceReadsIt) {
  Problems problems;
  const DeploymentDocument asked = parse_deployment(base::parse_json(R"({
        "components": {"A": {"componentVersion": "1.0.0",
                             "configurationUpdate": {"merge": "{\"k\": 1}", "reset": ["/old"]},
                             "runWith": {"systemResourceLimits": {"memory": 1024, "cpus": 1.5}}},
                       "B": {"componentVersion": "^2.0.0"}},
        "deploymentPolicies": {"failureHandlingPolicy": "DO_NOTHING",
                               "componentUpdatePolicy": {"timeoutInSeconds": 30}}})",
                                                                     "request"),
                                                    Strictness::request, problems);
  EXPECT_TRUE(problems.empty()) << to_text(problems);
  const std::string text = base::to_text(to_json(asked));
  EXPECT_EQ(base::to_text(to_json(parse_deployment_document(text))), text);
  EXPECT_EQ(asked.update_timeout, std::chrono::seconds(30));
  EXPECT_EQ(asked.failure_handling, FailureHandling::do_nothing);

  (void)parse_deployment(
      base::parse_json(R"({"components":{"A":{"ComponentVersion":"1.0.0"}}})", "request"),
      Strictness::request, problems);
  ASSERT_FALSE(problems.empty());
  EXPECT_EQ(problems.front().place, "/components/A/componentVersion");
}

}  // namespace
}  // namespace andon::recipe
