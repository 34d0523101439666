// SPDX-License-Identifier: Apache-2.0
#include "recipe/recipe/canonical_recipe.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/json/json.hpp"
#include "base/text/ascii.hpp"
#include "base/text/split.hpp"
#include "recipe/recipe/lifecycle.hpp"
#include "recipe/recipe/variables.hpp"

namespace andon::recipe {
namespace {

constexpr std::size_t kMostLiteBytes = 8196;  // its buffer for a recipe's file
constexpr std::array<std::string_view, 5> kLiteSteps{"bootstrap", "install", "startup", "run",
                                                     "Setenv"};

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
                   {"Unarchive", to_string(artifact.unarchive)},
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

// Nothing where a shell could take the file's or program's name for something else.
std::optional<std::string> skip_line(std::string_view skip_if) {
  constexpr std::string_view kOnPath = "onpath ";
  const bool is_program = skip_if.starts_with(kOnPath);
  const auto name = base::trim(skip_if.substr(skip_if.find(' ') + 1));
  const bool is_plain = std::all_of(name.begin(), name.end(), [](char c) {
    return base::is_letter_or_digit(c) || std::string_view("-_./+:{}").find(c) != std::string::npos;
  });
  if (!is_plain) return std::nullopt;
  const std::string test = is_program ? "command -v " + std::string(name) + " >/dev/null 2>&1"
                                      : "[ -e " + std::string(name) + " ]";
  return "if " + test + "; then exit 0; fi\n";
}

// A step that is a script has no Skipif.
const json::value* skip_if_of(const json::value& step) {
  const json::object* members = step.if_object();
  return members == nullptr ? nullptr : members->if_contains("Skipif");
}

json::object lite_lifecycle(const json::object& lifecycle) {
  json::object out;
  for (const std::string_view name : kLiteSteps) {
    const json::value* step = lifecycle.if_contains(name);
    if (step == nullptr) continue;
    json::value kept = *step;
    if (const json::value* skip_if = skip_if_of(*step)) {
      const auto line = skip_line(std::string_view(skip_if->as_string()));
      json::object& members = kept.as_object();
      const json::value* script = members.if_contains("Script");
      if (line && script != nullptr) members["Script"] = *line + std::string(script->as_string());
      members.erase("Skipif");
    }
    out[name] = std::move(kept);
  }
  return out;
}

bool names_another_component(const json::value& value) {
  if (const auto* text = value.if_string()) return names_other_components(*text);
  const json::object* object = value.if_object();
  return object != nullptr && std::any_of(object->begin(), object->end(), [](const auto& member) {
           return names_another_component(member.value());
         });
}

std::string find_lifecycle_problem(const json::object& lifecycle) {
  for (const std::string_view name : kLiteSteps) {
    const json::value* step = lifecycle.if_contains(name);
    if (step == nullptr) continue;
    if (names_another_component(*step)) {
      return std::string(name) + " has a variable of another component, which it leaves as it is";
    }
    const json::value* skip_if = skip_if_of(*step);
    if (skip_if != nullptr && !skip_line(std::string_view(skip_if->as_string()))) {
      return std::string(name) + " has a Skipif, which it does not know";
    }
  }
  return {};
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

json::object to_lite_json(const Recipe& recipe, const PlatformAttributes& device) {
  Recipe lite = recipe;
  lite.description.clear();
  lite.publisher.clear();
  lite.source.clear();
  lite.manifests.clear();
  lite.lifecycle.clear();
  if (const Manifest* manifest = select_manifest(recipe, device)) {
    Manifest fitting = *manifest;
    fitting.platform = {{"os", "linux"}, {"runtime", "*"}};
    fitting.lifecycle = lite_lifecycle(effective_lifecycle(recipe, *manifest));
    lite.manifests.push_back(std::move(fitting));
  }
  return to_canonical_json(lite);
}

std::string find_lite_problem(const Recipe& recipe, const PlatformAttributes& device) {
  const Manifest* manifest = select_manifest(recipe, device);
  if (manifest == nullptr) return {};
  std::string problem = find_lifecycle_problem(effective_lifecycle(recipe, *manifest));
  if (!problem.empty()) return problem;
  for (const Dependency& dependency : recipe.dependencies) {
    const std::string comparators = dependency.requirement.to_comparators();
    if (comparators.find("||") == std::string::npos) continue;
    return "its dependency on " + dependency.component + " is one of several ranges (" +
           comparators + "), of which it compares none";
  }
  const std::size_t bytes = base::to_text(to_lite_json(recipe, device)).size();
  if (bytes <= kMostLiteBytes) return {};
  return "its recipe has " + std::to_string(bytes) + " bytes, and it takes " +
         std::to_string(kMostLiteBytes) + "; move scripts or configuration into an artifact";
}

std::string greengrass_uri(const Artifact& artifact) {
  return "greengrass:" + artifact.file_name;
}

}  // namespace andon::recipe
