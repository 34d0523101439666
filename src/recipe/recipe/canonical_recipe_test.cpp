// SPDX-License-Identifier: Apache-2.0
#include "recipe/recipe/canonical_recipe.hpp"

#include <gtest/gtest.h>

#include "recipe/recipe/recipe_parser.hpp"

namespace andon::recipe {
namespace {

constexpr std::string_view kWritten = R"(
recipeFormatVersion: '2020-01-25'
componentName: com.example.Model
componentVersion: 1.0.0
componentConfiguration: {defaultConfiguration: {threshold: 0.87, On: true}}
componentDependencies:
  com.example.Base: {versionRequirement: '^1.2.3'}
lifecycle:
  linux:
    setenv: {lower: kept, UPPER: kept}
    INSTALL: {script: one, timeout: 5, setenv: {Script: kept}}
    Run: two
manifests:
  - platform: {os: linux}
    artifacts:
      - {URI: 's3://models/v1/model.onnx', digest: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='}
  - name: other
    platform: {os: darwin, runtime: aws_nucleus_lite}
)";

constexpr std::string_view kServed = R"({
  "RecipeFormatVersion": "2020-01-25",
  "ComponentName": "com.example.Model",
  "ComponentVersion": "1.0.0",
  "ComponentType": "aws.greengrass.generic",
  "ComponentConfiguration": {
    "DefaultConfiguration": {
      "threshold": 0.87,
      "On": true
    }
  },
  "ComponentDependencies": {
    "com.example.Base": {
      "VersionRequirement": ">=1.2.3 <2.0.0",
      "DependencyType": "HARD"
    }
  },
  "Manifests": [
    {
      "Platform": {
        "os": "linux",
        "runtime": "*"
      },
      "Lifecycle": {
        "Setenv": {
          "lower": "kept",
          "UPPER": "kept"
        },
        "install": {
          "Script": "one",
          "Timeout": 5,
          "Setenv": {
            "Script": "kept"
          }
        },
        "run": "two"
      },
      "Artifacts": [
        {
          "Uri": "greengrass:model.onnx",
          "Unarchive": "NONE",
          "Permission": {
            "Read": "OWNER",
            "Execute": "NONE"
          },
          "Digest": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
          "Algorithm": "SHA-256",
          "Size": 123
        }
      ]
    },
    {
      "Name": "other",
      "Platform": {
        "os": "darwin",
        "runtime": "aws_nucleus_lite"
      },
      "Lifecycle": {},
      "Artifacts": []
    }
  ]
}
)";

TEST(CanonicalRecipe, HasTheKeysThatEveryDeviceReads) {
  auto recipe = parse_recipe(kWritten);
  auto& artifact = recipe.manifests[0].artifacts[0];
  artifact.uri = greengrass_uri(artifact);
  artifact.size = 123;
  EXPECT_EQ(base::to_pretty_text(to_canonical_json(recipe)), kServed);
}

TEST(CanonicalRecipe, IsReadBackToTheSameForm) {
  const auto recipe = parse_recipe(kServed);
  EXPECT_EQ(base::to_pretty_text(to_canonical_json(recipe)), kServed);
  const auto* manifest = select_manifest(recipe, linux_platform("x86_64"));
  ASSERT_EQ(manifest, &recipe.manifests[0]);
  EXPECT_EQ(select_lifecycle(recipe, *manifest).find(Step::run)->script, "two");
}

PlatformAttributes lite() {
  return {{"os", "linux"}, {"architecture", "amd64"}, {"runtime", std::string(kLiteRuntime)}};
}

TEST(CanonicalRecipe, ForANucleusLiteIsTheOneManifestInItsWords) {
  const auto recipe = parse_recipe(R"(
recipeFormatVersion: '2020-01-25'
componentName: com.example.Hello
componentVersion: 1.0.0
componentDescription: what it reads of nobody
lifecycle:
  mine:
    Install: {Script: install.sh, Skipif: 'onpath hello', Timeout: 5}
    Startup: {Script: start.sh, Skipif: 'exists {work:path}/done'}
    Shutdown: stop.sh
manifests:
  - platform: {os: windows}
  - platform: {os: '/darwin|linux/', architecture: amd64}
    selections: [mine]
)");
  EXPECT_EQ(base::to_text(to_lite_json(recipe, lite()).at("Manifests")),
            R"([{"Platform":{"os":"linux","runtime":"*"},"Lifecycle":{)"
            R"("install":{"Script":"if command -v hello >/dev/null 2>&1; then exit 0; fi\n)"
            R"(install.sh","Timeout":5},)"
            R"("startup":{"Script":"if [ -e {work:path}/done ]; then exit 0; fi\nstart.sh"}},)"
            R"("Artifacts":[]}])");
  EXPECT_FALSE(to_lite_json(recipe, lite()).contains("ComponentDescription"));
  EXPECT_EQ(find_lite_problem(recipe, lite()), "");
  EXPECT_EQ(base::to_text(to_lite_json(recipe, {{"os", "darwin"}}).at("Manifests")), "[]");
}

TEST(CanonicalRecipe, WhatANucleusLiteCouldNotRunIsSaid) {
  const auto problem = [](const std::string& members) {
    return find_lite_problem(parse_recipe(R"({"RecipeFormatVersion": "2020-01-25", "ComponentName":
        "com.example.Hello", "ComponentVersion": "1.0.0", )" +
                                          members + "}"),
                             lite());
  };
  const auto run = [&](const std::string& step) {
    return problem(R"("Manifests": [{"Platform": {"os": "linux"}, "Lifecycle": {"run": )" + step +
                   "}}]");
  };
  EXPECT_EQ(run(R"("cat {artifacts:path}/a ${x:y:z}")"), "");
  EXPECT_NE(run(R"("cat {com.ex.Model:artifacts:path}/a")").find("another component"),
            std::string::npos);
  EXPECT_NE(run(R"({"Script": "x", "Setenv": {"M": "{com.ex.Model:configuration:/a}"}})")
                .find("another component"),
            std::string::npos);
  EXPECT_NE(run(R"({"Script": "x", "Skipif": "exists a; reboot"})").find("Skipif"),
            std::string::npos);
  EXPECT_NE(run("\"" + std::string(8200, 'x') + "\"").find("it takes 8196"), std::string::npos);
  EXPECT_NE(problem(R"("ComponentDependencies": {"b": {"VersionRequirement": "1.0.0 || 2.0.0"}})")
                .find("dependency on b"),
            std::string::npos);
  // What is written for another platform is no matter.
  EXPECT_EQ(problem(R"("Manifests": [{"Platform": {"os": "windows"}, "Lifecycle": {"run":
                    "{com.ex.Model:artifacts:path}"}}])"),
            "");
}

}  // namespace
}  // namespace andon::recipe
