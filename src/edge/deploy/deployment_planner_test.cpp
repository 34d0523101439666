// SPDX-License-Identifier: Apache-2.0
#include "edge/deploy/deployment_planner.hpp"

#include <gtest/gtest.h>

#include "base/json/json.hpp"
#include "base/text/encoding.hpp"
#include "edge/artifacts/wanted_artifact.hpp"
#include "edge/cloud/data_plane.hpp"
#include "recipe/recipe/recipe_parser.hpp"

namespace andon::edge {
namespace {

std::string recipe_text(const std::string& name, const std::string& version,
                        const std::string& more = "") {
  return R"({"RecipeFormatVersion":"2020-01-25","ComponentName":")" + name +
         R"(","ComponentVersion":")" + version + R"(")" + more +
         R"(,"Manifests":[{"Platform":{"os":"linux"},"Lifecycle":{"run":"run {configuration:/a}"}}]})";
}

recipe::Candidate candidate(const std::string& name, const std::string& version,
                            const std::string& more = "") {
  recipe::Candidate made;
  made.recipe_text = recipe_text(name, version, more);
  made.recipe = recipe::parse_recipe(made.recipe_text);
  made.arn = "arn:" + name + ':' + version;
  return made;
}

InstalledComponent installed(const std::string& name, const std::string& version) {
  InstalledComponent component;
  component.name = name;
  component.version = version;
  component.recipe = recipe::ServedRecipe(recipe_text(name, version));
  return component;
}

recipe::DeploymentDocument document(const std::string& target, const std::string& components) {
  return recipe::parse_deployment_document(
      R"({"deploymentId":"d1","creationTimestamp":2000,"configurationArn":)"
      R"("arn:aws:greengrass:us-east-1:000000000000:configuration:)" +
      target + R"(:1","components":)" + components + "}");
}

std::vector<std::string> names(const InstalledSet& set) {
  std::vector<std::string> all;
  for (const InstalledComponent& component : set.components) {
    all.push_back(component.name + ' ' + component.version);
  }
  return all;
}

TEST(DeploymentPlanner, AsksOnlyForWhatTheDeviceDoesNotHave) {
  PlanInput input;
  input.document = document("thing/dev1", R"({"a":{"version":"1.0.0"},"b":{"version":"2.0.0"}})");
  input.last_good.components = {installed("a", "1.0.0")};
  std::vector<std::string> asked;
  const InstalledSet plan = plan_components(
      input,
      [&](const std::string& name, const auto&, const auto&) -> std::optional<recipe::Candidate> {
        asked.push_back(name);
        return candidate(name, "2.0.0");
      });
  EXPECT_EQ(asked, std::vector<std::string>{"b"});
  EXPECT_EQ(names(plan), (std::vector<std::string>{"a 1.0.0", "b 2.0.0"}));
  EXPECT_EQ(plan.find("b")->wanted_by, std::vector<std::string>{"thing/dev1"});
}

TEST(DeploymentPlanner, AnInstalledBuildIsNotTakenForAnother) {
  PlanInput input;
  input.document = document("thing/dev1", R"({"a":{"version":"3.0.0+z"}})");
  input.last_good.components = {installed("a", "3.0.0")};
  const auto plan = [&](const std::string& answer) {
    return names(plan_components(input, [&](const std::string& name, const auto&, const auto&) {
      return candidate(name, answer);
    }));
  };
  EXPECT_EQ(plan("3.0.0+z"), std::vector<std::string>{"a 3.0.0+z"});
  EXPECT_THROW((void)plan("3.0.0+y"), base::Error);
}

TEST(DeploymentPlanner, KeepsOtherTargetsAndDropsGroupsThatTheDeviceHasLeft) {
  PlanInput input;
  input.document = document("thing/dev1", R"({"a":{"version":"1.0.0"}})");
  input.last_good.targets["thinggroup/stays"].roots["s"] = {"1.0.0", ""};
  input.last_good.targets["thinggroup/left"].roots["l"] = {"1.0.0", ""};
  input.groups = {"stays"};
  const AskServer ask = [](const std::string& name, const auto&, const auto&) {
    return std::optional(candidate(name, "1.0.0"));
  };
  EXPECT_EQ(names(plan_components(input, ask)), (std::vector<std::string>{"a 1.0.0", "s 1.0.0"}));
  // A server that does not tell the groups takes nothing away.
  input.groups.reset();
  EXPECT_EQ(plan_components(input, ask).components.size(), 3U);
}

TEST(DeploymentPlanner, ANewRevisionReplacesTheOldOneOfItsTarget) {
  PlanInput input;
  input.document = document("thing/dev1", R"({"b":{"version":"1.0.0"}})");
  input.last_good.targets["thing/dev1"].roots["a"] = {"1.0.0", ""};
  const InstalledSet plan = plan_components(input, [](const auto& name, const auto&, const auto&) {
    return std::optional(candidate(name, "1.0.0"));
  });
  EXPECT_EQ(names(plan), std::vector<std::string>{"b 1.0.0"});
}

TEST(DeploymentPlanner, TwoTargetsThatDisagreeFailNamingBoth) {
  PlanInput input;
  input.document = document("thing/dev1", R"({"a":{"version":"2.0.0"}})");
  input.last_good.targets["thinggroup/G"].roots["a"] = {"1.0.0", ""};
  try {
    static_cast<void>(plan_components(
        input, [](const auto&, const auto&, const auto&) -> std::optional<recipe::Candidate> {
          return std::nullopt;
        }));
    FAIL() << "planned";
  } catch (const recipe::ResolutionError& error) {
    EXPECT_NE(error.message().find("thinggroup/G"), std::string::npos) << error.message();
    EXPECT_NE(error.message().find("thing/dev1"), std::string::npos) << error.message();
  }
}

TEST(DeploymentPlanner, HardAndSoftDependenciesAreKeptApart) {
  PlanInput input;
  input.document = document("thing/dev1", R"({"app":{"version":"1.0.0"}})");
  const InstalledSet plan = plan_components(input, [](const auto& name, const auto&, const auto&) {
    return std::optional(candidate(
        name, "1.0.0",
        name == "app" ? R"(,"ComponentDependencies":{"model":{"VersionRequirement":"^1.0.0"},)"
                        R"("helper":{"VersionRequirement":"*","DependencyType":"SOFT"},)"
                        R"("aws.greengrass.TokenExchangeService":{"VersionRequirement":"^2.0.0"}})"
                      : ""));
  });
  const InstalledComponent* app = plan.find("app");
  // What is built in is part of the set, and nobody is asked for it.
  EXPECT_EQ(app->hard_dependencies,
            (std::vector<std::string>{"model", "aws.greengrass.TokenExchangeService"}));
  EXPECT_EQ(plan.find("aws.greengrass.TokenExchangeService")->version, "2.0.3");
  EXPECT_EQ(app->soft_dependencies, std::vector<std::string>{"helper"});
  EXPECT_TRUE(app->is_root);
  EXPECT_FALSE(plan.find("model")->is_root);
}

TEST(DeploymentPlanner, ConfigurationIsResetFilledAndMerged) {
  InstalledSet plan;
  plan.components = {installed("a", "1.0.0")};
  plan.components[0].recipe = recipe::ServedRecipe(recipe_text(
      "a", "1.0.0",
      R"(,"ComponentConfiguration":{"DefaultConfiguration":{"a":1,"b":{"c":2,"d":3}}})"));
  const auto change =
      document("thing/dev1", R"({"a":{"version":"1.0.0","configurationUpdate":{"reset":["/b/c"],)"
                             R"("merge":{"a":5}}}})");
  const Configurations planned =
      plan_configurations(change, plan, {{"a", {{"b", json::object{{"c", 9}, {"d", 8}}}}}});
  EXPECT_EQ(base::to_text(planned.at("a")), R"({"b":{"c":2,"d":8},"a":5})");
}

TEST(DeploymentPlanner, ThePinOfATokenIsInNoConfiguration) {
  const std::string name = "aws.greengrass.crypto.Pkcs11Provider";
  InstalledSet plan;
  plan.components = {installed(name, "2.0.9")};
  const recipe::DeploymentDocument change =
      document("thing/dev1", R"({")" + name +
                                 R"(":{"version":"2.0.9","configurationUpdate":{"merge":)"
                                 R"({"library":"/x.so","userPin":"0481516"}}}})");
  const Configurations planned = plan_configurations(change, plan, {});
  EXPECT_EQ(planned.at(name).at("library"), "/x.so");
  EXPECT_FALSE(planned.at(name).contains("userPin"));
}

TEST(DeploymentPlanner, AVariableWithoutAValueIsFoundBeforeAnythingRuns) {
  InstalledSet plan;
  plan.components = {installed("a", "1.0.0")};
  const Layout layout("/tmp/device");
  const recipe::PlatformAttributes own = recipe::linux_platform("x86_64");
  EXPECT_THROW(check_variables(layout, "dev1", plan, {{"a", json::object{}}}, own),
               DeploymentFailure);
  EXPECT_NO_THROW(check_variables(layout, "dev1", plan, {{"a", {{"a", 1}}}}, own));
}

// What the worker, the engine and the host ask of a plan, in their order.
void use_plan(const PlanInput& input, const InstalledSet& plan) {
  const recipe::PlatformAttributes own = recipe::linux_platform("x86_64");
  const Configurations now{{"a", {{"a", 1}}}, {"b", {{"a", 2}}}};
  const Configurations planned = plan_configurations(input.document, plan, now);
  check_variables(Layout("/tmp/device"), "dev1", plan, planned, own);
  (void)wanted_artifacts(plan, own);
  (void)plan_configurations(input.document, plan, now);
  for (const InstalledComponent& component : plan.components) (void)component.identity();
}

TEST(DeploymentPlanner, EachRecipeThatComesInIsParsedOnceAndOneThatIsThereNotAtAll) {
  PlanInput input;
  input.document = document("thing/dev1", R"({"a":{"version":"1.0.0"},"b":{"version":"1.0.0"}})");
  const auto answer = [](const std::string& name, const auto&, const auto&) {
    const json::object version{{"arn", "arn:" + name},
                               {"recipe", base::to_base64(recipe_text(name, "1.0.0"))}};
    return parse_candidate(
        base::to_text(json::object{{"resolvedComponentVersions", json::array{version}}}), name);
  };
  const std::uint64_t before = recipe::recipes_parsed();
  const InstalledSet plan = plan_components(input, answer);
  use_plan(input, plan);
  EXPECT_EQ(recipe::recipes_parsed() - before, 2U);

  PlanInput again = input;
  again.last_good = plan;
  use_plan(again, plan_components(again, answer));
  EXPECT_EQ(recipe::recipes_parsed() - before, 2U);

  // After a restart: once more, where the saved set is read.
  const InstalledSet saved = parse_installed_set(to_json(plan));
  use_plan(again, saved);
  EXPECT_EQ(recipe::recipes_parsed() - before, 4U);
  EXPECT_EQ(saved.components.front().identity(), plan.components.front().identity());
}

TEST(DeploymentPlanner, RejectsWhatIsStaleOrNeedsMoreThanItCan) {
  auto wanted = document("thing/dev1", "{}");
  InstalledSet last_good;
  EXPECT_FALSE(find_rejection(wanted, last_good));
  last_good.targets["thing/dev1"].creation_timestamp_ms = 3000;
  EXPECT_EQ(find_rejection(wanted, last_good)->error_stack.back(), "REJECTED_STALE_DEPLOYMENT");
  last_good.targets.clear();
  wanted.required_capabilities = {"LARGE_CONFIGURATION"};
  EXPECT_EQ(find_rejection(wanted, last_good)->error_stack.back(),
            "NUCLEUS_MISSING_REQUIRED_CAPABILITIES");
}

TEST(DeploymentPlanner, LimitsComeFromTheDeploymentElseFromTheNucleus) {
  PlanInput input;
  input.document =
      document("thing/dev1",
               R"({"a":{"version":"1.0.0","runWith":{"systemResourceLimits":{"memory":1024}}},)"
               R"("b":{"version":"1.0.0"}})");
  input.document.required_capabilities = {"LINUX_RESOURCE_LIMITS"};
  EXPECT_FALSE(find_rejection(input.document, input.last_good));
  InstalledSet plan = plan_components(input, [](const auto& name, const auto&, const auto&) {
    return std::optional(candidate(name, "1.0.0"));
  });
  Configurations configurations;
  configurations["aws.greengrass.Nucleus"] = {
      {"runWithDefault", {{"systemResourceLimits", {{"memory", 2048}, {"cpus", 1.5}}}}}};
  give_run_with_default(plan, configurations);
  EXPECT_EQ(plan.find("a")->limits, (recipe::ResourceLimits{.memory_kib = 1024}));
  EXPECT_EQ(plan.find("b")->limits, (recipe::ResourceLimits{.memory_kib = 2048, .cpus = 1.5}));
  EXPECT_EQ(plan.targets.at("thing/dev1").roots.at("a").limits.memory_kib, 1024);
  configurations["aws.greengrass.Nucleus"] = {
      {"runWithDefault", {{"systemResourceLimits", {{"memory", -1}}}}}};
  EXPECT_THROW(give_run_with_default(plan, configurations), DeploymentFailure);
}

TEST(DeploymentPlanner, ASandboxThatCannotBeMadeIsRefusedByTheComponentsName) {
  InstalledSet plan;
  plan.components = {installed("com.example.A", "1.0.0"), installed("com.example.B", "1.0.0")};
  const SandboxRules device = parse_sandbox_rules({"com.example.B=strict"});
  EXPECT_NO_THROW(check_sandboxes(plan, {}, device, ""));
  try {
    check_sandboxes(plan, {}, device, "no namespaces");
    FAIL();
  } catch (const DeploymentFailure& failure) {
    EXPECT_NE(std::string(failure.what()).find("com.example.B"), std::string::npos);
  }
  Configurations configurations;
  configurations["aws.greengrass.Nucleus"] = {{"andonSandbox", {{"*", "cosy"}}}};
  EXPECT_THROW(check_sandboxes(plan, configurations, {}, ""), DeploymentFailure);
  EXPECT_NO_THROW(check_sandboxes(plan, {}, {}, "no namespaces"));
}

TEST(DeploymentPlanner, ASubDeploymentTakesThePlaceOfItsParentsComponents) {
  auto part = document("thinggroup/Retry", R"({"b":{"version":"2.0.0"}})");
  part.on_behalf_of = part.parent_target_arn =
      "arn:aws:iot:us-east-1:000000000000:thinggroup/Parent";
  part.required_capabilities = {"SUB_DEPLOYMENTS"};
  PlanInput input;
  input.document = part;
  input.groups = {"Parent", "Retry"};
  input.last_good.targets["thinggroup/Parent"].roots["a"] = {"1.0.0", ""};
  input.last_good.components = {installed("a", "1.0.0"), installed("b", "2.0.0")};
  EXPECT_FALSE(find_rejection(part, input.last_good));
  const InstalledSet plan =
      plan_components(input, [](const auto&, const auto&, const auto&) { return std::nullopt; });
  EXPECT_EQ(names(plan), (std::vector<std::string>{"b 2.0.0"}));
  ASSERT_TRUE(plan.targets.contains("thinggroup/Parent"));
  EXPECT_FALSE(plan.targets.contains("thinggroup/Retry"));
  // Back to what the parent has, which is older.
  auto whole = document("thinggroup/Parent", R"({"a":{"version":"1.0.0"}})");
  whole.creation_timestamp_ms = 1000;
  EXPECT_FALSE(find_rejection(whole, plan));
}

}  // namespace
}  // namespace andon::edge
