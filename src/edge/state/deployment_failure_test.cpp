// SPDX-License-Identifier: Apache-2.0
#include "edge/state/deployment_failure.hpp"

#include <gtest/gtest.h>

#include "edge/state/installed_set.hpp"
#include "edge/testing/installed_component.hpp"
#include "recipe/recipe/resolve.hpp"
#include "wire/http/http_client.hpp"

namespace andon::edge {
namespace {

using base::ErrorCode;
using Texts = std::vector<std::string>;

TEST(DeploymentFailure, KeepsItsCodesBehindTheGeneralOne) {
  const FailureReport report = report_of(DeploymentFailure(
      ErrorCode::data_corrupted, "bad bytes", {"ARTIFACT_CHECKSUM_MISMATCH"}, {"COMPONENT_ERROR"}));
  EXPECT_EQ(report.cause, "bad bytes");
  EXPECT_EQ(report.error_stack, (Texts{"DEPLOYMENT_FAILURE", "ARTIFACT_CHECKSUM_MISMATCH"}));
  EXPECT_EQ(report.error_types, Texts{"COMPONENT_ERROR"});
  EXPECT_FALSE(report.rejected);
}

TEST(DeploymentFailure, OtherErrorsAreNamedByWhatCanBeDoneAboutThem) {
  struct Case {
    ErrorCode code;
    std::string last;
    std::string type;
  };
  for (const Case& one :
       {Case{ErrorCode::unavailable, "NETWORK_ERROR", "NETWORK_ERROR"},
        Case{ErrorCode::deadline_exceeded, "NETWORK_ERROR", "NETWORK_ERROR"},
        Case{ErrorCode::permission_denied, "ACCESS_DENIED", "PERMISSION_ERROR"},
        Case{ErrorCode::resource_exhausted, "DISK_SPACE_CRITICAL", "DEVICE_ERROR"},
        Case{ErrorCode::cancelled, "DEPLOYMENT_INTERRUPTED", "NONE"}}) {
    const FailureReport report = report_of(base::Error(one.code, "why"));
    EXPECT_EQ(report.error_stack.front(), "DEPLOYMENT_FAILURE");
    EXPECT_EQ(report.error_stack.back(), one.last);
    EXPECT_EQ(report.error_types, Texts{one.type});
  }
  EXPECT_EQ(report_of(std::runtime_error("odd")).cause, "unexpected error: odd");
}

TEST(DeploymentFailure, ARequestThatDidNotGetThroughSaysWhetherByTls) {
  using wire::TransferError;
  EXPECT_EQ(
      report_of(TransferError(ErrorCode::unavailable, TransferError::Stage::tls_handshake, "x"))
          .error_stack,
      (Texts{"DEPLOYMENT_FAILURE", "NETWORK_ERROR", "TLS_HANDSHAKE_FAILURE"}));
  const FailureReport other =
      report_of(TransferError(ErrorCode::deadline_exceeded, TransferError::Stage::other, "x"));
  EXPECT_EQ(other.error_stack,
            (Texts{"DEPLOYMENT_FAILURE", "NETWORK_ERROR", "HTTP_REQUEST_ERROR"}));
  EXPECT_EQ(other.error_types, Texts{"NETWORK_ERROR"});
}

TEST(DeploymentFailure, ARecipeThatCannotBeReadIsNamedAndItsDependenciesToo) {
  const auto failure_of = [](std::string_view text) {
    try {
      static_cast<void>(read_recipe(text, "component app"));
      return FailureReport{};
    } catch (const DeploymentFailure& failure) {
      return report_of(failure);
    }
  };
  const FailureReport broken = failure_of("[");
  EXPECT_NE(broken.cause.find("the recipe of component app"), std::string::npos);
  EXPECT_EQ(broken.error_stack.back(), "RECIPE_PARSE_ERROR");
  EXPECT_EQ(broken.error_types, Texts{"COMPONENT_RECIPE_ERROR"});
  EXPECT_EQ(failure_of(R"({"RecipeFormatVersion":"2020-01-25","ComponentName":"app",
                           "ComponentVersion":"1.0.0",
                           "ComponentDependencies":{"b":{"VersionRequirement":"newest"}}})")
                .error_stack.back(),
            "COMPONENT_DEPENDENCY_NOT_VALID");
}

TEST(DeploymentFailure, ReadsBackWhatItWrites) {
  const FailureReport report = rejection("too old", "STALE", "REQUEST_ERROR");
  const FailureReport back = parse_failure_report(to_json(report));
  EXPECT_EQ(back.cause, "too old");
  EXPECT_EQ(back.error_stack, (Texts{"DEPLOYMENT_REJECTED", "STALE"}));
  EXPECT_TRUE(back.rejected);
}

TEST(InstalledSet, ReadsBackWhatItWrites) {
  InstalledSet set;
  InstalledComponent component = installed_component("app");
  component.arn = "arn:x";
  component.is_root = true;
  component.run_as = "user:group";
  component.hard_dependencies = {"model"};
  component.soft_dependencies = {"camera"};
  component.wanted_by = {"thing/dev1"};
  set.components = {component};
  set.targets["thing/dev1"] = {"d1", "arn:c", 5, {{"app", {"^1.0.0", "user"}}}};
  const json::value saved = to_json(set);
  const InstalledSet back = parse_installed_set(saved);
  EXPECT_EQ(json::value(to_json(back)), saved);
  ASSERT_NE(back.find("app"), nullptr);
  EXPECT_EQ(back.find("app")->hard_dependencies, Texts{"model"});
  EXPECT_EQ(back.find("nobody"), nullptr);
  EXPECT_THROW(static_cast<void>(parse_installed_set(json::value("x"))), base::Error);
}

TEST(InstalledSet, AnotherVersionRecipeOrUserIsAnotherComponent) {
  const InstalledComponent one = installed_component("app");
  InstalledComponent two = one;
  EXPECT_EQ(one.identity(), two.identity());
  two.version = "1.0.1";
  EXPECT_NE(one.identity(), two.identity());
  two = one;
  two.run_as = "user";
  EXPECT_NE(one.identity(), two.identity());
  two = one;
  two.recipe = installed_component("other").recipe;
  EXPECT_NE(one.identity(), two.identity());
}

}  // namespace
}  // namespace andon::edge
