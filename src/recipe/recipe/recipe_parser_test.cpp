// SPDX-License-Identifier: Apache-2.0
#include "recipe/recipe/recipe_parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"

namespace andon::recipe {
namespace {

using testing::ElementsAre;

constexpr std::string_view kInspector = R"(---
RecipeFormatVersion: '2020-01-25'
ComponentName: com.example.Inspector
ComponentVersion: '1.2.0'
ComponentDescription: Looks at metal tags.
ComponentPublisher: Example Works
ComponentConfiguration:
  DefaultConfiguration:
    Threshold: 0.5
    Camera: {Rate: 5}
    accessControl:
      aws.greengrass.ipc.mqttproxy:
        com.example.Inspector:mqttproxy:1:
          operations: ['aws.greengrass#PublishToIoTCore']
          resources: ['*']
ComponentDependencies:
  com.example.TagModel:
    VersionRequirement: ^2.1.0
  aws.greengrass.TokenExchangeService:
    VersionRequirement: '>=0.0.0'
    DependencyType: SOFT
Manifests:
  - Name: Linux on Arm
    Platform: {os: linux, architecture: /arm|aarch64/}
    Lifecycle:
      Setenv: {THREADS: 2}
      Install:
        Script: install -d "{work:path}/images"
        Timeout: 30
        RequiresPrivilege: true
        Skipif: exists /opt/inspector
      Run: '{artifacts:path}/inspect --threshold {configuration:/Threshold}'
    Artifacts:
      - URI: s3://components/inspector/arm/inspect
        Permission: {Read: ALL, Execute: ALL}
        Digest: 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
        Algorithm: SHA-256
      - URI: s3://components/inspector/arm/assets.zip
        Unarchive: ZIP
  - Platform: {os: linux}
    Lifecycle:
      run: {script: ./inspect}
)";

TEST(RecipeParser, ReadsARecipeInYaml) {
  const auto recipe = parse_recipe(kInspector);
  EXPECT_EQ(recipe.id(), "com.example.Inspector 1.2.0");
  EXPECT_EQ(recipe.component_type, "aws.greengrass.generic");
  EXPECT_EQ(recipe.description, "Looks at metal tags.");
  EXPECT_EQ(recipe.publisher, "Example Works");
  EXPECT_EQ(recipe.default_configuration.at("Threshold").as_double(), 0.5);

  ASSERT_EQ(recipe.dependencies.size(), 2U);
  EXPECT_EQ(recipe.dependencies[0].component, "com.example.TagModel");
  EXPECT_EQ(recipe.dependencies[0].requirement.to_comparators(), ">=2.1.0 <3.0.0");
  EXPECT_EQ(recipe.dependencies[0].type, DependencyType::hard);
  EXPECT_EQ(recipe.dependencies[1].type, DependencyType::soft);

  ASSERT_EQ(recipe.manifests.size(), 2U);
  const auto& artifacts = recipe.manifests[0].artifacts;
  ASSERT_EQ(artifacts.size(), 2U);
  EXPECT_EQ(artifacts[0].file_name, "inspect");
  EXPECT_EQ(artifacts[0].read, FileAccess::all);
  EXPECT_EQ(artifacts[0].execute, FileAccess::all);
  EXPECT_EQ(artifacts[0].algorithm, "SHA-256");
  EXPECT_EQ(artifacts[1].unarchive, Unarchive::zip);
  EXPECT_EQ(artifacts[1].read, FileAccess::owner);
  EXPECT_EQ(artifacts[1].execute, FileAccess::none);
  EXPECT_EQ(artifacts[1].digest, "");
}

TEST(RecipeParser, ChoosesTheFirstManifestThatFits) {
  const auto recipe = parse_recipe(kInspector);
  EXPECT_EQ(select_manifest(recipe, linux_platform("aarch64")), &recipe.manifests[0]);
  EXPECT_EQ(select_manifest(recipe, linux_platform("x86_64")), &recipe.manifests[1]);
  EXPECT_EQ(select_manifest(recipe, {{"os", "windows"}}), nullptr);
}

TEST(RecipeParser, ReadsLifecycleStepsWhateverTheCaseOfTheirKeys) {
  const auto recipe = parse_recipe(kInspector);
  const auto arm = select_lifecycle(recipe, recipe.manifests[0]);
  EXPECT_EQ(arm.setenv.at("THREADS"), "2");
  const auto* install = arm.find(Step::install);
  ASSERT_NE(install, nullptr);
  EXPECT_TRUE(install->requires_privilege);
  EXPECT_EQ(install->skip_if, "exists /opt/inspector");
  EXPECT_EQ(step_timeout(*install, Step::install), std::chrono::seconds(30));
  const auto* run = arm.find(Step::run);
  ASSERT_NE(run, nullptr);
  EXPECT_EQ(run->script, "{artifacts:path}/inspect --threshold {configuration:/Threshold}");
  EXPECT_EQ(step_timeout(*run, Step::run), std::nullopt);
  EXPECT_EQ(arm.find(Step::shutdown), nullptr);
  EXPECT_EQ(select_lifecycle(recipe, recipe.manifests[1]).find(Step::run)->script, "./inspect");
}

TEST(RecipeParser, ReadsJsonWithKeysInAnyCase) {
  const auto recipe = parse_recipe(R"({
    "recipeformatversion": "2020-01-25", "componentName": "a", "COMPONENTVERSION": "1.0.0",
    "componentdependencies": {"b": {"versionrequirement": "1.x", "dependencytype": "soft"}},
    "manifests": [{"platform": {"OS": "linux"}, "artifacts": [{"uri": "greengrass:x.zip",
      "unarchive": "zip", "permission": {"read": "all"}, "size": 12}]}]})");
  EXPECT_EQ(recipe.dependencies[0].type, DependencyType::soft);
  EXPECT_EQ(recipe.manifests[0].platform.at("os"), "linux");
  EXPECT_EQ(recipe.manifests[0].artifacts[0].unarchive, Unarchive::zip);
  EXPECT_EQ(recipe.manifests[0].artifacts[0].size, 12U);
}

TEST(RecipeParser, GivesARecipeWithoutManifestsOneThatFitsEveryDevice) {
  const auto recipe = parse_recipe(
      R"({"RecipeFormatVersion":"2020-01-25","ComponentName":"a","ComponentVersion":"1.0.0"})");
  const auto* manifest = select_manifest(recipe, linux_platform("riscv64"));
  ASSERT_NE(manifest, nullptr);
  EXPECT_TRUE(manifest->artifacts.empty());
  EXPECT_TRUE(select_lifecycle(recipe, *manifest).steps.empty());
}

constexpr std::string_view kHead =
    "RecipeFormatVersion: '2020-01-25'\nComponentName: a\nComponentVersion: 1.0.0\n";

TEST(RecipeParser, AppliesSelectionsToTheGlobalLifecycleAtEveryLevel) {
  const auto recipe = parse_recipe(std::string(kHead) + R"(
Lifecycle:
  gpu:
    Run: {Script: run-gpu, Timeout: 5}
  all:
    Setenv: {A: b}
    Install:
      debian: {Script: apt}
      all: {Script: other}
    Run: run-cpu
Manifests:
  - {Platform: {os: linux, architecture: amd64}, Selections: [gpu]}
  - {Platform: {os: linux, architecture: arm}, Selections: [debian]}
  - {Platform: {os: linux}}
)");
  const auto gpu = select_lifecycle(recipe, recipe.manifests[0]);
  EXPECT_EQ(gpu.find(Step::run)->script, "run-gpu");
  EXPECT_EQ(gpu.find(Step::install), nullptr);
  const auto debian = select_lifecycle(recipe, recipe.manifests[1]);
  EXPECT_EQ(debian.find(Step::run)->script, "run-cpu");
  EXPECT_EQ(debian.find(Step::install)->script, "apt");
  EXPECT_EQ(debian.setenv.at("A"), "b");
  EXPECT_EQ(select_lifecycle(recipe, recipe.manifests[2]).find(Step::install)->script, "other");
}

TEST(RecipeParser, TakesTheOperatingSystemAsSelectionWhereNoneIsGiven) {
  const auto recipe = parse_recipe(std::string(kHead) +
                                   "Lifecycle: {linux: {run: a}, windows: {run: b}}\n"
                                   "Manifests: [{Platform: {os: linux}}]\n");
  EXPECT_EQ(select_lifecycle(recipe, recipe.manifests[0]).find(Step::run)->script, "a");
}

TEST(RecipeParser, PrefersTheManifestsOwnLifecycle) {
  const auto recipe = parse_recipe(std::string(kHead) +
                                   "Lifecycle: {all: {run: global}}\n"
                                   "Manifests: [{Lifecycle: {run: own}}]\n");
  EXPECT_EQ(select_lifecycle(recipe, recipe.manifests[0]).find(Step::run)->script, "own");
}

TEST(RecipeParser, FindsAllProblemsWithTheirPlaces) {
  const auto check = check_recipe(R"({
    "RecipeFormatVersion": "2019-01-01",
    "ComponentName": "..",
    "ComponentVersion": "1.0",
    "ComponentType": "thing",
    "ComponentConfiguration": {"DefaultConfiguration": 3},
    "ComponentDependencies": {"b": {"VersionRequirement": "latest"}, "c/d": {}},
    "Manifests": [
      {"Platform": {"os": "/(/", "architecture": "!x"},
       "Lifecycle": {"Instal": "x", "Run": {"Script": 1, "Timeout": "soon", "Skipif": "never",
                     "RequiresPrivilege": "maybe", "Scirpt": "x"}, "startup": "y"},
       "Artifacts": [
         {"Uri": "ftp://x/y"}, {"Uri": "s3://b/k", "Digest": "abcd"}, {"Uri": "greengrass:k"},
         {"Uri": "s3://b/.."}, {"Uri": "s3://b/m", "Digest": "abcd", "Algorithm": "MD5"},
         {"Uri": "s3://b/n", "Unarchive": "RAR", "Size": -1}, {}, 7]},
      "x"]})");
  EXPECT_FALSE(check.recipe);
  std::vector<std::string> places;
  for (const auto& problem : check.problems) places.push_back(problem.place);
  EXPECT_THAT(places,
              testing::UnorderedElementsAre(
                  "/RecipeFormatVersion", "/ComponentName", "/ComponentVersion", "/ComponentType",
                  "/ComponentConfiguration/DefaultConfiguration",
                  "/ComponentDependencies/b/VersionRequirement", "/ComponentDependencies/c~1d",
                  "/Manifests/0/Platform/os", "/Manifests/0/Platform/architecture",
                  "/Manifests/0/Lifecycle/run/Script", "/Manifests/0/Lifecycle/run/Timeout",
                  "/Manifests/0/Lifecycle/run/Skipif",
                  "/Manifests/0/Lifecycle/run/RequiresPrivilege", "/Manifests/0/Lifecycle",
                  "/Manifests/0/Artifacts/0/Uri", "/Manifests/0/Artifacts/1/Digest",
                  "/Manifests/0/Artifacts/2/Uri", "/Manifests/0/Artifacts/3/Uri",
                  "/Manifests/0/Artifacts/4/Algorithm", "/Manifests/0/Artifacts/5/Unarchive",
                  "/Manifests/0/Artifacts/5/Size", "/Manifests/0/Artifacts/6/Uri",
                  "/Manifests/0/Artifacts/7", "/Manifests/0/Artifacts/7/Uri", "/Manifests/1"))
      << to_text(check.problems);
}

struct BadRecipe {
  std::string_view extra;
  std::string_view expected;
};

TEST(RecipeParser, SaysWhatIsWrongInWords) {
  const BadRecipe cases[] = {
      {"Manifests: 1", "/Manifests must be a list"},
      {"ComponentDependencies: {a: {}}", "/ComponentDependencies/a is the component itself"},
      {"ComponentPublisher: 12", "/ComponentPublisher must be a text: put it in quotes"},
      {"componentname: b", "is there twice (upper and lower case do not matter)"},
      {"Manifests: [{Lifecycle: {run: a, Run: b}}]", "/Manifests/0/Lifecycle/Run is there twice"},
      {"Lifecycle: {all: {run: [a]}}", "/Lifecycle/run must be a script or an object"},
      {"Lifecycle: {all: x}", "/Lifecycle/all must be an object"},
      {"Manifests: [{Selections: [1]}]", "/Manifests/0/Selections/0 must be a text"},
      {"Manifests: [{Artifacts: [{Uri: 's3://b/a\\b'}]}]", "does not end in the name of a file"},
  };
  for (const auto& [extra, expected] : cases) {
    const auto check = check_recipe(std::string(kHead) + std::string(extra));
    EXPECT_THAT(to_text(check.problems), testing::HasSubstr(expected)) << extra;
  }
}

TEST(RecipeParser, IgnoresAndNamesKeysOfALifecycleThatGreengrassDoesNotKnow) {
  const auto recipe =
      parse_recipe(std::string(kHead) +
                   "Lifecycle: {freebsd: {run: x}, all: {run: {Script: a, Scirpt: b, all: c}}}\n"
                   "Manifests: [{}, {Lifecycle: {Instal: x, run: own}}]\n");
  std::vector<std::string> places;
  for (const auto& one : recipe.ignored) places.push_back(one.place);
  EXPECT_THAT(places,
              testing::UnorderedElementsAre("/Lifecycle/freebsd", "/Lifecycle/all/run/Scirpt",
                                            "/Manifests/1/Lifecycle/Instal"));
  EXPECT_THAT(to_text(recipe.ignored),
              testing::HasSubstr("is ignored: it is not a lifecycle step"));
  const auto own = select_lifecycle(recipe, recipe.manifests[1]);
  EXPECT_EQ(own.find(Step::run)->script, "own");
  EXPECT_EQ(own.steps.size(), 1U);
}

TEST(RecipeParser, NothingIsIgnoredInARecipeThatGreengrassKnows) {
  EXPECT_THAT(parse_recipe(kInspector).ignored, testing::IsEmpty());
}

TEST(RecipeParser, ReadsArchivesOfEachKindAndWhereTheyAreUnpacked) {
  const struct {
    const char* file;
    const char* kind;
    const char* directory;
  } rows[] = {{"code.zip", "ZIP", "code"},
              {"code.tar", "tar", "code"},
              {"code.tar.gz", "TAR.GZ", "code"},
              {"code.tgz", "Tar.Gz", "code"},
              {"code.tar.zst", "TAR.ZST", "code"},
              {"code.tzst", "TAR.ZST", "code"},
              {"code.tar.gz", "TAR", "code.tar.gz"},
              {"a.b.zip", "ZIP", "a.b"},
              {".zip", "ZIP", ".zip"}};
  for (const auto& row : rows) {
    const auto recipe =
        parse_recipe(std::string(kHead) + "Manifests: [{Artifacts: [{Uri: 's3://b/" + row.file +
                     "', Unarchive: " + row.kind + "}]}]");
    const Artifact& artifact = recipe.manifests[0].artifacts[0];
    EXPECT_EQ(unarchived_name(artifact), row.directory) << row.file;
    EXPECT_TRUE(base::equal_ignoring_case(to_string(artifact.unarchive), row.kind));
  }
}

TEST(RecipeParser, RefusesTwoArchivesThatWouldShareADirectory) {
  const auto check =
      check_recipe(std::string(kHead) +
                   "Manifests: [{Artifacts: [{Uri: 's3://b/code.zip', Unarchive: ZIP}, "
                   "{Uri: 's3://b/code.tgz', Unarchive: TAR.GZ}, {Uri: 's3://b/code'}]}]");
  EXPECT_THAT(to_text(check.problems),
              testing::HasSubstr("/Manifests/0/Artifacts/1/Uri is unpacked into the directory "
                                 "\"code\" as code.zip of this manifest is"));
  EXPECT_EQ(check.problems.size(), 1U);
}

TEST(RecipeParser, ReportsAProblemOfTheGlobalLifecycleOnce) {
  const auto check =
      check_recipe(std::string(kHead) + "Lifecycle: {run: {Timeout: -1}}\nManifests: [{}, {}]");
  EXPECT_EQ(check.problems.size(), 1U) << to_text(check.problems);
}

TEST(RecipeParser, ThrowsAllProblemsAtOnce) {
  try {
    static_cast<void>(parse_recipe("ComponentName: a"));
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
    EXPECT_EQ(error.message(),
              "the recipe is not valid: /RecipeFormatVersion is missing; /ComponentVersion is "
              "missing");
  }
}

TEST(RecipeParser, RefusesWhatIsNoObjectOrTooLarge) {
  EXPECT_EQ(check_recipe("[1]").problems.size(), 1U);
  EXPECT_EQ(check_recipe("just text").problems.size(), 1U);
  EXPECT_EQ(check_recipe(std::string(kMaxRecipeBytes + 1, 'a')).problems.size(), 1U);
}

TEST(RecipeParser, RoundsTimeoutsUpToMilliseconds) {
  LifecycleStep step;
  EXPECT_EQ(step_timeout(step, Step::install), std::chrono::seconds(120));
  EXPECT_EQ(step_timeout(step, Step::shutdown), std::chrono::seconds(15));
  step.timeout = "0.0001";
  EXPECT_EQ(step_timeout(step, Step::install), std::chrono::milliseconds(1));
  for (const std::string text : {"0", "-1", "x", "1s", "nan", "1e99", " 1"}) {
    step.timeout = text;
    EXPECT_THROW(static_cast<void>(step_timeout(step, Step::install)), base::Error) << text;
  }
}

TEST(RecipeParser, NamesArtifactsByTheLastSegmentOfTheirUri) {
  EXPECT_EQ(artifact_file_name("s3://bucket/a/b/model.onnx"), "model.onnx");
  EXPECT_EQ(artifact_file_name("greengrass:model.onnx"), "model.onnx");
  EXPECT_EQ(artifact_file_name("docker:library/redis:7"), "");
}

}  // namespace
}  // namespace andon::recipe
