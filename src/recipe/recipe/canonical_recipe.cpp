// SPDX-License-Identifier: Apache-2.0
#include "recipe/recipe/canonical_recipe.hpp"

#include "base/json/json.hpp"
#include "recipe/recipe/lifecycle.hpp"

namespace andon::recipe {
namespace {

std::string_view to_text(FileAccess access) {
  switch (access) {
    case FileAccess::none:
      return "NONE";
    case FileAccess::owner:
      return "OWNER";
    case FileAccess::all:
      return "ALL";
  }
  return "NONE";
}

json::object artifact_json(const Artifact& artifact) {
  json::object out{{"Uri", artifact.uri},
                   {"Unarchive", artifact.unarchive == Unarchive::zip ? "ZIP" : "NONE"},
                   {"Permission", json::object{{"Read", to_text(artifact.read)},
                                               {"Execute", to_text(artifact.execute)}}}};
  if (!artifact.digest.empty()) {
    out["Digest"] = artifact.digest;
    out["Algorithm"] = artifact.algorithm;
  }
  if (artifact.size) out["Size"] = *artifact.size;
  return out;
}

json::object manifest_json(const Recipe& recipe, const Manifest& manifest) {
  json::object out;
  if (!manifest.name.empty()) out["Name"] = manifest.name;
  json::object platform{{"os", "*"}, {"runtime", "*"}};
  for (const auto& [key, wanted] : manifest.platform) platform[key] = wanted;
  out["Platform"] = std::move(platform);
  out["Lifecycle"] = effective_lifecycle(recipe, manifest);
  json::array artifacts;
  for (const auto& artifact : manifest.artifacts) artifacts.push_back(artifact_json(artifact));
  out["Artifacts"] = std::move(artifacts);
  return out;
}

}  // namespace

json::object to_canonical_json(const Recipe& recipe) {
  json::object out{{"RecipeFormatVersion", "2020-01-25"},
                   {"ComponentName", recipe.component_name},
                   {"ComponentVersion", recipe.component_version.to_string()},
                   {"ComponentType", recipe.component_type}};
  if (!recipe.description.empty()) out["ComponentDescription"] = recipe.description;
  if (!recipe.publisher.empty()) out["ComponentPublisher"] = recipe.publisher;
  if (!recipe.source.empty()) out["ComponentSource"] = recipe.source;
  out["ComponentConfiguration"] =
      json::object{{"DefaultConfiguration", recipe.default_configuration}};
  json::object dependencies;
  for (const auto& dependency : recipe.dependencies) {
    dependencies[dependency.component] =
        json::object{{"VersionRequirement", dependency.requirement.to_comparators()},
                     {"DependencyType", dependency.type == DependencyType::hard ? "HARD" : "SOFT"}};
  }
  out["ComponentDependencies"] = std::move(dependencies);
  json::array manifests;
  for (const auto& manifest : recipe.manifests) {
    manifests.push_back(manifest_json(recipe, manifest));
  }
  out["Manifests"] = std::move(manifests);
  return out;
}

std::string greengrass_uri(const Artifact& artifact) {
  return "greengrass:" + artifact.file_name;
}

}  // namespace andon::recipe
