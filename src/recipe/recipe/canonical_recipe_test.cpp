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

}  // namespace
}  // namespace andon::recipe
