// SPDX-License-Identifier: Apache-2.0
#include "edge/run/sandbox_policy.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::edge {
namespace {

TEST(SandboxPolicy, TheLongestPatternCounts) {
  const SandboxRules rules = parse_sandbox_rules(
      {"*=guarded", "com.example.*=strict", "com.example.Camera=none", "com.example.C*=offline"});
  EXPECT_EQ(rules.find("org.other"), SandboxLevel::guarded);
  EXPECT_EQ(rules.find("com.example.Light"), SandboxLevel::strict);
  EXPECT_EQ(rules.find("com.example.Camera"), SandboxLevel::none);
  EXPECT_EQ(rules.find("com.example.Cam"), SandboxLevel::offline);
  EXPECT_FALSE(SandboxRules().find("org.other"));
}

TEST(SandboxPolicy, ADeploymentTightensWhatTheDeviceSaysAndNeverLoosensIt) {
  const SandboxRules device = parse_sandbox_rules({"a=strict", "b=none"});
  Configurations configurations;
  configurations["aws.greengrass.Nucleus"] = {
      {"andonSandbox", {{"a", "none"}, {"b", "offline"}, {"c", "guarded"}}}};
  const SandboxRules nucleus = sandbox_rules_of(configurations);
  EXPECT_EQ(sandbox_level(device, nucleus, "a"), SandboxLevel::strict);
  EXPECT_EQ(sandbox_level(device, nucleus, "b"), SandboxLevel::offline);
  EXPECT_EQ(sandbox_level(device, nucleus, "c"), SandboxLevel::guarded);
  EXPECT_FALSE(sandbox_level(device, nucleus, "d"));
  EXPECT_FALSE(sandbox_level({}, sandbox_rules_of({}), "a"));
}

TEST(SandboxPolicy, WithoutAWordOnlyOwnComponentsWithoutAllRightsAreGuarded) {
  EXPECT_EQ(usual_sandbox_level("com.example.App", false), SandboxLevel::none);
  EXPECT_EQ(usual_sandbox_level("andon.App", true), SandboxLevel::none);
  EXPECT_EQ(usual_sandbox_level("andon.App", false),
            sandbox_problem().empty() ? SandboxLevel::guarded : SandboxLevel::none);
}

TEST(SandboxPolicy, WhatCannotBeReadIsRefused) {
  for (const char* const word : {"a", "a=cosy", "=strict", "a*b=strict", "**=strict"}) {
    EXPECT_THROW((void)parse_sandbox_rules({word}), base::Error) << word;
  }
  Configurations configurations;
  configurations["aws.greengrass.Nucleus"] = {{"andonSandbox", {{"a", 7}}}};
  EXPECT_THROW((void)sandbox_rules_of(configurations), base::Error);
}

}  // namespace
}  // namespace andon::edge
