// SPDX-License-Identifier: Apache-2.0
#include "api/targets/event_targets.hpp"

#include <gtest/gtest.h>

#include "workflow/shared/refusal.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using events::Delivery;
using events::Outcome;

const std::string kStates = "arn:aws:states:us-east-1:000000000000:";

Delivery delivery_to(const std::string& target) {
  return {
      .token = "t-1", .source_arn = {}, .event_id = {}, .target = {{"Arn", target}}, .input = {}};
}

std::exception_ptr thrown(const std::string& code) {
  return std::make_exception_ptr(workflow::Refusal(code, "no"));
}

TEST(EventTargets, TellWhatACallHasBegun) {
  const Delivery machine = delivery_to(kStates + "stateMachine:ship");
  const Outcome started = outcome_of_call(
      machine, "states", json::object{{"executionArn", kStates + "execution:ship:t-1"}}, nullptr);
  EXPECT_EQ(started.kind, Outcome::Kind::delivered);
  EXPECT_EQ(started.started, kStates + "execution:ship:t-1");
  const Outcome build = outcome_of_call(
      delivery_to("arn:aws:codebuild:us-east-1:000000000000:project/code"), "codebuild",
      json::object{{"build", {{"arn", "arn:aws:codebuild:us-east-1:000000000000:build/code:1"}}}},
      nullptr);
  EXPECT_EQ(build.started, "arn:aws:codebuild:us-east-1:000000000000:build/code:1");
  EXPECT_EQ(outcome_of_call(machine, "iot", json::object{{"thingName", "x"}}, nullptr).started, "");
  EXPECT_EQ(outcome_of_call(machine, "iot", nullptr, nullptr).started, "");
}

TEST(EventTargets, WhatAnAttemptBeforeHasBegunIsToldToo) {
  for (const char* machine : {"stateMachine:ship", "stateMachine:ship:PROD"}) {
    const Outcome outcome = outcome_of_call(delivery_to(kStates + machine), "states", nullptr,
                                            thrown("ExecutionAlreadyExists"));
    EXPECT_EQ(outcome.kind, Outcome::Kind::delivered);
    EXPECT_EQ(outcome.started, kStates + "execution:ship:t-1");
  }
  // Begun in another way, by a name of its own.
  const Outcome other =
      outcome_of_call(delivery_to("arn:aws:scheduler:::aws-sdk:sfn:startExecution"), "states",
                      nullptr, thrown("ExecutionAlreadyExists"));
  EXPECT_EQ(other.kind, Outcome::Kind::delivered);
  EXPECT_EQ(other.started, "");
}

TEST(EventTargets, ACallThatWasRefusedHasBegunNothing) {
  const Outcome outcome = outcome_of_call(delivery_to(kStates + "stateMachine:ship"), "states",
                                          nullptr, thrown("StateMachineDoesNotExist"));
  EXPECT_EQ(outcome.kind, Outcome::Kind::refused);
  EXPECT_EQ(outcome.code, "NO_RESOURCE");
  EXPECT_EQ(outcome.started, "");
}

}  // namespace
}  // namespace andon::api
