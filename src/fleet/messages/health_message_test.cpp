// SPDX-License-Identifier: Apache-2.0
#include "fleet/messages/health_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::fleet {
namespace {

using testing::HasSubstr;

HealthMessage make_message() {
  HealthMessage message;
  message.core_version = "2.13.0";
  message.platform = "linux";
  message.architecture = "aarch64";
  message.runtime = "andon_edge";
  message.thing = "dev1";
  message.sequence_number = 7;
  message.chunk = 2;
  message.sent = base::from_epoch_millis(1234);
  message.scope = HealthScope::complete;
  message.trigger = HealthTrigger::thing_deployment;
  message.health = DeviceHealth::unhealthy;
  message.components = {
      {"a", "1.0.0", ComponentState::running, {"arn:1"}, true, {}, ""},
      {"b", "1.1.0", ComponentState::broken, {}, false, {"RUN_ERROR"}, "it ended with 1"}};
  message.deployment = DeploymentHealth{
      "d1", "arn:1", {JobStatus::failed, {"FAILED_NO_STATE_CHANGE", "why", {"A", "B"}, {"C"}}}};
  return message;
}

TEST(HealthMessage, WhatADeviceWritesIsWhatTheServerReads) {
  const std::string text = base::to_text(to_json(make_message()));
  const HealthMessage read = parse_health_message(text);
  EXPECT_EQ(base::to_text(to_json(read)), text);
  EXPECT_EQ(read.thing, "dev1");
  EXPECT_EQ(read.sequence_number, 7);
  EXPECT_EQ(read.chunk, 2);
  EXPECT_EQ(read.scope, HealthScope::complete);
  EXPECT_EQ(read.trigger, HealthTrigger::thing_deployment);
  EXPECT_EQ(read.health, DeviceHealth::unhealthy);
  ASSERT_EQ(read.components.size(), 2U);
  EXPECT_EQ(read.components[1].state, ComponentState::broken);
  EXPECT_EQ(read.components[1].reason, "it ended with 1");
  ASSERT_TRUE(read.deployment);
  EXPECT_EQ(read.deployment->outcome.status, JobStatus::failed);
  EXPECT_EQ(read.deployment->outcome.details.error_stack, (std::vector<std::string>{"A", "B"}));
}

TEST(HealthMessage, IsWrittenAsGreengrassWritesIt) {
  HealthMessage message = make_message();
  message.chunk = 1;
  message.components.pop_back();
  message.deployment.reset();
  EXPECT_EQ(json::value(to_json(message)), json::value({{"ggcVersion", "2.13.0"},
                                                        {"platform", "linux"},
                                                        {"architecture", "aarch64"},
                                                        {"runtime", "andon_edge"},
                                                        {"thing", "dev1"},
                                                        {"sequenceNumber", 7},
                                                        {"timestamp", 1234},
                                                        {"messageType", "COMPLETE"},
                                                        {"trigger", "THING_DEPLOYMENT"},
                                                        {"overallDeviceStatus", "UNHEALTHY"},
                                                        {"components",
                                                         {{{"componentName", "a"},
                                                           {"version", "1.0.0"},
                                                           {"fleetConfigArns", {"arn:1"}},
                                                           {"isRoot", true},
                                                           {"status", "RUNNING"}}}}}));
}

TEST(HealthMessage, EveryStateAndTriggerIsReadBack) {
  for (const auto state :
       {ComponentState::created, ComponentState::installed, ComponentState::starting,
        ComponentState::running, ComponentState::stopping, ComponentState::errored,
        ComponentState::broken, ComponentState::finished, ComponentState::uninstalled}) {
    EXPECT_EQ(parse_component_state(to_string(state)), state);
  }
  for (const auto trigger :
       {HealthTrigger::nucleus_launch, HealthTrigger::cadence, HealthTrigger::reconnect,
        HealthTrigger::component_status_change, HealthTrigger::thing_group_deployment,
        HealthTrigger::thing_deployment, HealthTrigger::local_deployment}) {
    EXPECT_EQ(parse_health_trigger(to_string(trigger)), trigger);
  }
  EXPECT_EQ(to_string(ComponentState::created), "NEW");
}

TEST(HealthMessage, ATriggerThatIsNotKnownIsNone) {
  json::object message = to_json(make_message());
  message["trigger"] = "NETWORK_RECONFIGURE";
  EXPECT_EQ(parse_health_message(base::to_text(message)).trigger, std::nullopt);
}

TEST(HealthMessage, WhatIsWrongIsNamed) {
  struct Case {
    const char* member;
    json::value value;
    const char* problem;
  };
  for (const Case& one :
       {Case{"overallDeviceStatus", "FINE", "overallDeviceStatus"},
        Case{"messageType", "SOME", "messageType"}, Case{"sequenceNumber", "1", "sequenceNumber"},
        Case{"components", {{{"componentName", ""}, {"status", "NEW"}}}, "components[0]"},
        Case{"components", {{{"componentName", "a"}, {"status", "OFF"}}}, "\"OFF\""}}) {
    json::object message = to_json(make_message());
    message[one.member] = one.value;
    try {
      (void)parse_health_message(base::to_text(message));
      ADD_FAILURE() << one.problem;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
      EXPECT_THAT(error.message(), HasSubstr(one.problem));
    }
  }
}

}  // namespace
}  // namespace andon::fleet
