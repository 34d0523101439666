// SPDX-License-Identifier: Apache-2.0
// What a request means on a device; recipes from directories; what is written of a deployment.
#include "edge/control/local_deployments.hpp"

#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "edge/artifacts/blob_store.hpp"
#include "edge/cloud/data_plane.hpp"
#include "edge/local/local_recipes.hpp"
#include "edge/state/state_database.hpp"
#include "edge/testing/installed_component.hpp"

namespace andon::edge {
namespace {

LocalDeployment parsed(const std::string& request, const InstalledSet& set = {}) {
  return parse_local_document(request, "d1", set);
}

std::string problem_of(const std::string& request, const InstalledSet& set = {}) {
  try {
    static_cast<void>(parsed(request, set));
  } catch (const base::Error& error) {
    return error.message();
  }
  return "";
}

InstalledSet with_roots(const std::string& target, const std::string& arn) {
  InstalledSet set;
  TargetDeployment before;
  before.configuration_arn = arn;
  before.creation_timestamp_ms = 77;
  before.roots = {{"kept", {"1.0.0", "user"}}, {"old", {"2.0.0", ""}}};
  set.targets[target] = before;
  return set;
}

TEST(LocalRequest, AddsToAndTakesAwayFromWhatTheDeviceRuns) {
  const InstalledSet set = with_roots(std::string(kLocalTarget), std::string(kLocalTarget));
  const LocalDeployment local = parsed(R"({
    "rootComponentVersionsToAdd": {"new": "^1.2.0"}, "rootComponentsToRemove": ["old"],
    "componentToConfiguration": {"new": {"MERGE": {"a": 1}, "RESET": ["/b"]}, "other": {"merge": {}}},
    "componentToRunWithInfo": {"new": {"posixUser": "u:g"}}, "failureHandlingPolicy": "DO_NOTHING"})",
                                       set);
  const auto& components = local.document.components;
  ASSERT_EQ(components.size(), 3U);
  EXPECT_EQ(components.at("kept").version, "1.0.0");
  EXPECT_EQ(components.at("kept").run_with->posix_user, "user");
  EXPECT_EQ(components.at("new").version, "^1.2.0");
  EXPECT_EQ(components.at("new").configuration_update.reset, std::vector<std::string>{"/b"});
  EXPECT_EQ(components.at("new").run_with->posix_user, "u:g");
  EXPECT_FALSE(components.at("other").is_root);
  EXPECT_EQ(local.document.failure_handling, recipe::FailureHandling::do_nothing);
  EXPECT_EQ(local.document.configuration_arn, kLocalTarget);
}

TEST(LocalRequest, WithAGroupItChangesWhatCameWithThatGroup) {
  const std::string arn = "arn:aws:greengrass:r:0:configuration:thinggroup/G1:4";
  const LocalDeployment local = parsed(R"({"groupName":"G1","rootComponentsToRemove":["old"]})",
                                       with_roots("thinggroup/G1", arn));
  EXPECT_EQ(local.document.configuration_arn, arn);
  EXPECT_EQ(local.document.creation_timestamp_ms, 77);  // nothing of the server's gets stale by it
  EXPECT_EQ(local.document.components.size(), 1U);
}

TEST(LocalRequest, SaysWhatIsWrong) {
  EXPECT_NE(problem_of("{}").find("changes nothing"), std::string::npos);
  EXPECT_NE(problem_of(R"({"rootComponentsToRemove":["gone"]})").find("gone is not to be removed"),
            std::string::npos);
  for (const char* const bad :
       {R"({"rootComponentVersionsToAdd":{"../x":"1.0.0"}})",
        R"({"rootComponentVersionsToAdd":{"x":"one"}})",
        R"({"rootComponentVersionsToAdd":{"x":1}})", R"({"recipeDirectoryPath":"relative"})",
        R"([])", R"({"groupName":"a/b"})",
        R"({"rootComponentVersionsToAdd":{"x":"1.0.0"},"failureHandlingPolicy":"HOPE"})",
        R"({"componentToConfiguration":{"x":{"MERGE":[]}}})",
        R"({"componentToConfiguration":{"x":{"RESET":["a"]}}})",
        R"({"rootComponentVersionsToAdd":{"x":"1.0.0"},"rootComponentsToRemove":["x"]})"}) {
    EXPECT_NE(problem_of(bad), "") << bad;
  }
}

class LocalRecipesTest : public testing::Test {
 protected:
  LocalRecipesTest() {
    layout_.make();
    request_.recipes = directory_.path() / "recipes";
    request_.artifacts = directory_.path() / "artifacts";
    base::make_directories(request_.recipes);
    base::make_directories(request_.artifacts / "app" / "1.1.0");
    base::write_file_atomically(request_.artifacts / "app" / "1.1.0" / "run.sh", "echo hello\n");
    for (const char* const version : {"1.0.0", "1.1.0", "2.0.0"}) write_recipe(version);
  }
  void write_recipe(const std::string& version) {
    base::write_file_atomically(
        request_.recipes / ("app-" + version + ".yaml"),
        "RecipeFormatVersion: '2020-01-25'\nComponentName: app\n"
        "ComponentVersion: '" +
            version +
            "'\nManifests:\n- Platform: {os: linux}\n  Lifecycle: {run: x}\n"
            "  Artifacts:\n  - URI: s3://nowhere/run.sh\n");
  }

  base::TemporaryDirectory directory_;
  Layout layout_{directory_.path() / "device"};
  LocalRequest request_;
};

TEST_F(LocalRecipesTest, TheNewestThatSatisfiesAllIsTakenAndItsArtifactsAreStored) {
  const LocalRecipes recipes(layout_, request_, own_platform());
  EXPECT_TRUE(recipes.has("app"));
  EXPECT_FALSE(recipes.find("app", {{"x", "^3.0.0"}}));
  const auto candidate = recipes.find("app", {{"x", "^1.0.0"}, {"y", "*"}});
  ASSERT_TRUE(candidate);
  EXPECT_EQ(candidate->recipe.component_version.to_string(), "1.1.0");
  InstalledComponent component;
  component.name = "app";
  component.version = "1.1.0";
  component.recipe = recipe::ServedRecipe(candidate->recipe_text);
  const auto wanted = wanted_artifacts(component, own_platform());
  ASSERT_EQ(wanted.size(), 1U);
  EXPECT_EQ(base::read_file(BlobStore(layout_).path(wanted.at(0).sha256)), "echo hello\n");
}

TEST_F(LocalRecipesTest, ABadRecipeIsNamed) {
  base::write_file_atomically(request_.recipes / "broken.json", "{");
  try {
    const LocalRecipes recipes(layout_, request_, own_platform());
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("broken.json"), std::string::npos) << error.message();
  }
}

TEST(LocalDeployments, WhatBecameOfOneIsWrittenAsClientsReadIt) {
  base::TemporaryDirectory directory;
  const auto database = open_state_database(directory.path() / "config.db");
  const auto status = [&](const fleet::DeploymentOutcome& outcome) {
    std::string text;
    database->write([&](store::Transaction& transaction) {
      transaction.execute(
          "INSERT OR REPLACE INTO local_deployments (number, id, status, created_ms, document) "
          "VALUES (1, 'd1', 'QUEUED', 0, '{}')");
      LocalDeployments::record(transaction, local_job_id("d1"), outcome);
      const auto row =
          transaction.query_one("SELECT status, details FROM local_deployments").value();
      text = row.text(0) + ' ' + row.optional_text(1).value_or("");
    });
    return text;
  };
  using fleet::JobStatus;
  EXPECT_EQ(status({JobStatus::in_progress, {}}), "IN_PROGRESS ");
  EXPECT_EQ(status({JobStatus::succeeded, {"SUCCESSFUL", "", {}, {}}}).substr(0, 10), "SUCCEEDED ");
  const std::string failed =
      status({JobStatus::failed, {"FAILED_NO_STATE_CHANGE", "why", {"A"}, {"B"}}});
  EXPECT_EQ(failed, R"(FAILED {"detailedDeploymentStatus":"FAILED_NO_STATE_CHANGE",)"
                    R"("deploymentErrorStack":["A"],"deploymentErrorTypes":["B"],)"
                    R"("deploymentFailureCause":"why"})");
  EXPECT_EQ(status({JobStatus::failed, {"", "", {"DEPLOYMENT_INTERRUPTED"}, {}}}).substr(0, 9),
            "CANCELED ");
}

}  // namespace
}  // namespace andon::edge
