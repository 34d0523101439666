// SPDX-License-Identifier: Apache-2.0
#include "functions/sandboxes/order.hpp"

#include <gtest/gtest.h>

namespace andon::functions {
namespace {

TEST(SandboxOrder, AnOwnersVariablesReplaceNoneOfTheServers) {
  SandboxPlan plan{.key = {}, .function = "ship", .version = "3", .role = {}};
  plan.runtime = "python3.12";
  plan.handler = "app.handler";
  plan.environment = {{"WORD", "x"},
                      {"LANG", "de_DE.UTF-8"},
                      {"PYTHONPATH", "/var/task/lib"},
                      {"AWS_LAMBDA_RUNTIME_API", "1.1.1.1:80"}};
  const SandboxSite site{.api_port = 8080, .is_api_tls = true};
  const RoleCredentials keys{"AKIA", "secret", "token", {}};
  const job::JobOrder order = order_of(plan, site, keys, "stream");
  const auto& environment = order.command.environment;
  EXPECT_EQ(environment.at("WORD"), "x");
  EXPECT_EQ(environment.at("LANG"), "de_DE.UTF-8");
  EXPECT_EQ(environment.at("AWS_LAMBDA_RUNTIME_API"), "127.0.0.1:9001");
  EXPECT_EQ(environment.at("AWS_LAMBDA_FUNCTION_VERSION"), "3");
  EXPECT_EQ(environment.at("AWS_ENDPOINT_URL"), "https://127.0.0.1:9002");
  EXPECT_EQ(environment.at("AWS_CA_BUNDLE"), "/var/runtime/ca.pem");
  EXPECT_EQ(environment.at("PYTHONPATH"), "/var/runtime:/var/task/lib");
  EXPECT_EQ(environment.at("AWS_SESSION_TOKEN"), "token");
  EXPECT_TRUE(order.rules.ports.empty());
  EXPECT_EQ(order.rules.served.size(), 2U);
}

TEST(SandboxOrder, RuntimesAreKnownByName) {
  for (const char* name : {"python3.8", "python3.14", "provided", "provided.al2023"}) {
    EXPECT_TRUE(is_known_runtime(name)) << name;
  }
  for (const char* name :
       {"", "python3.", "python2.7", "python3.x", "nodejs20.x", "provided.al3"}) {
    EXPECT_FALSE(is_known_runtime(name)) << name;
  }
}

}  // namespace
}  // namespace andon::functions
