// SPDX-License-Identifier: Apache-2.0
#include "edge/ipc/access_control.hpp"

#include <gtest/gtest.h>

namespace andon::edge {
namespace {

struct Case {
  std::string_view policy;
  std::string_view resource;
  bool matches;
};

TEST(AccessControl, MatchesResourcesWithWildcards) {
  const Case cases[] = {
      {"a", "a", true},
      {"a", "b", false},
      {"a", "ab", false},
      {"*", "", true},
      {"*", "any/thing", true},
      {"sensors/*", "sensors/a/b", true},
      {"sensors/*", "sensor", false},
      {"*/x/*", "a/x/b", true},
      {"*/x/*", "a/y/b", false},
      {"a*b*c", "aXbYc", true},
      {"a*b*c", "aXcYb", false},
      {"a${*}b", "a*b", true},
      {"a${*}b", "aXb", false},
      {"a${?}b${$}", "a?b$", true},
      {"a?b", "aXb", false},
      {"${x}", "${x}", true},
      {"+", "a", false},
      {"a/#", "a/b", false},
      {"", "", true},
      {"", "a", false},
  };
  for (const auto& [policy, resource, matches] : cases) {
    EXPECT_EQ(resource_matches(policy, resource, ResourceForm::plain), matches)
        << policy << " with " << resource;
  }
}

TEST(AccessControl, MatchesTopicsAsFiltersDo) {
  const Case cases[] = {
      {"a/+/c", "a/b/c", true},  {"a/+/c", "a//c", true},    {"a/+/c", "a/b/x/c", false},
      {"a/+", "a", false},       {"+/+", "a/b", true},       {"+", "a/b", false},
      {"a/#", "a/b/c", true},    {"a/#", "a", true},         {"a/#", "ab", false},
      {"#", "a/b", true},        {"a+", "ab", false},        {"a+", "a+", true},
      {"a#", "a#", true},        {"a/#/b", "a/x/b", false},  {"*/+", "x/y/z", true},
      {"cmd/#", "cmd/#", true},  {"cmd/#", "cmd/+/x", true}, {"cmd/+", "cmd/+", true},
      {"cmd/+", "cmd/#", false}, {"+", "#", false},          {"cmd/a", "cmd/+", false},
  };
  for (const auto& [policy, resource, matches] : cases) {
    EXPECT_EQ(resource_matches(policy, resource, ResourceForm::mqtt), matches)
        << policy << " with " << resource;
  }
}

TEST(AccessControl, StaysQuickWithManyWildcards) {
  std::string policy;
  for (int i = 0; i < 100; ++i) policy += "*a";
  std::string resource(2000, 'a');
  resource += 'b';
  EXPECT_FALSE(resource_matches(policy, resource, ResourceForm::plain));
}

TEST(AccessControl, AllowsWhatAPolicyNames) {
  recipe::Problems problems;
  const AccessControl control(base::parse_json(R"({
    "aws.greengrass.ipc.mqttproxy": {"p:1": {"policyDescription": "x",
      "operations": ["aws.greengrass#PublishToIoTCore"], "resources": ["andon/things/line-1/#"]},
      "p:2": {"operations": ["aws.greengrass#SubscribeToIoTCore"], "resources": ["cmd/*"]}},
    "aws.greengrass.ipc.pubsub": {"p:3": {"operations": ["*"], "resources": ["local/*"]}}})",
                                               "accessControl"),
                              problems);
  EXPECT_TRUE(problems.empty());
  const auto mqtt = [&](std::string_view operation, std::string_view topic) {
    return control.allows(kMqttProxyService, operation, topic);
  };
  EXPECT_TRUE(mqtt("aws.greengrass#PublishToIoTCore", "andon/things/line-1/results"));
  EXPECT_FALSE(mqtt("aws.greengrass#PublishToIoTCore", "andon/things/line-2/results"));
  EXPECT_FALSE(mqtt("aws.greengrass#PublishToIoTCore", "cmd/x"));
  EXPECT_TRUE(mqtt("aws.greengrass#SubscribeToIoTCore", "cmd/x"));
  EXPECT_FALSE(mqtt("aws.greengrass#PublishToTopic", "local/x"));
  EXPECT_TRUE(control.allows(kPubSubService, "aws.greengrass#PublishToTopic", "local/x"));
}

TEST(AccessControl, AllowsNothingWithoutAPolicy) {
  EXPECT_FALSE(AccessControl{}.allows(kPubSubService, "aws.greengrass#PublishToTopic", "a"));
  recipe::Problems problems;
  EXPECT_FALSE(AccessControl(nullptr, problems)
                   .allows(kPubSubService, "aws.greengrass#PublishToTopic", "a"));
  EXPECT_TRUE(problems.empty());
}

TEST(AccessControl, ReportsMalformedPoliciesAndKeepsTheOthers) {
  recipe::Problems problems;
  const AccessControl control(base::parse_json(R"({
    "aws.greengrass.ipc.pubsub": {"bad": {"operations": "*", "resources": ["*"]},
      "worse": {"operations": ["*"], "resources": [1]}, "worst": 3,
      "good": {"operations": ["*"], "resources": ["a"]}},
    "other": []})",
                                               "accessControl"),
                              problems);
  EXPECT_EQ(problems.size(), 4U) << recipe::to_text(problems);
  EXPECT_TRUE(control.allows(kPubSubService, "x", "a"));
  EXPECT_FALSE(control.allows(kPubSubService, "x", "b"));
}

}  // namespace
}  // namespace andon::edge
