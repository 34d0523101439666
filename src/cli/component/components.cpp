// SPDX-License-Identifier: Apache-2.0
#include "cli/component/components.hpp"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "base/text/escape.hpp"
#include "cli/component/runtime_component.hpp"
#include "cli/registry/registry.hpp"
#include "cli/terminal/table.hpp"
#include "fleet/messages/data_plane.hpp"
#include "fleet/names/arn.hpp"
#include "recipe/image/image_reference.hpp"
#include "recipe/reader/json_or_yaml.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostRecipeBytes = 1U << 20U;

std::string upload_artifact(ServerClient& server, Terminal& terminal, const ComponentVersion& owner,
                            const base::fs::path& file) {
  const std::string key =
      fmt::format("{}/{}/{}", owner.name, owner.version, file.filename().string());
  upload(*server, terminal, kComponentBucket, key, file);
  return fmt::format("s3://{}/{}", kComponentBucket, key);
}

}  // namespace

std::string component_path(const std::string& arn, const std::string& below) {
  return "/greengrass/v2/components/" + base::percent_encode(arn) + below;
}

std::vector<ComponentVersion> component_versions(ServerClient& server, const std::string& name) {
  const std::string arn = fleet::Arns(server.connection().region).component(name);
  std::vector<ComponentVersion> versions;
  const std::string path = component_path(arn, "/versions?maxResults=100");
  for (const json::value& one : server.all("greengrass", path, "componentVersions")) {
    versions.push_back({name, text_of(one, "componentVersion"), text_of(one, "arn")});
  }
  if (versions.empty()) {
    throw Error(ErrorCode::not_found,
                "no component '" + name + "' on this server; andon component list shows what is");
  }
  return versions;
}

ComponentVersion find_component(ServerClient& server, const std::string& text) {
  const std::size_t at = text.find('@');
  const std::string name = text.substr(0, at);
  const auto versions = component_versions(server, name);
  if (at == std::string::npos) return versions.front();
  std::string known;
  for (const ComponentVersion& one : versions) {
    if (one.version == text.substr(at + 1)) return one;
    known += (known.empty() ? "" : ", ") + one.version;
  }
  throw Error(ErrorCode::not_found, fmt::format("component {} has no version {}; there are: {}",
                                                name, text.substr(at + 1), known));
}

std::string recipe_text(ServerClient& server, const ComponentVersion& component) {
  const json::value answer =
      server->rest("greengrass", "GET", component_path(component.arn, "?recipeOutputFormat=YAML"));
  return base::from_base64(base::JsonReader(answer, "GetComponent").string("recipe")).value_or("");
}

std::string served_recipe(ServerClient& server, const ComponentVersion& component) {
  const fleet::ResolveRequest request{
      .candidates = {{component.name, std::nullopt, {{"fit", component.version}}}}, .platform = {}};
  const auto found = fleet::read_resolve_answer(server->rest(
      "greengrass", "POST", std::string(fleet::kResolvePath), fleet::to_json(request)));
  if (found.empty()) {
    throw Error(ErrorCode::not_found, "the server has no recipe of " + component.text());
  }
  return found.front().recipe;
}

ComponentVersion created(const json::value& answer) {
  const std::string said =
      text_of(base::JsonReader(answer, "CreateComponentVersion").child_or_empty("status").object(),
              "message");
  if (!said.empty() && said != "NONE") {
    fmt::print(stderr, "note: in the recipe, {}\n", base::escape_controls(said));
  }
  return {text_of(answer, "componentName"), text_of(answer, "componentVersion"),
          text_of(answer, "arn")};
}

ComponentVersion create_component_version(ServerClient& server, const json::value& recipe) {
  const json::value answer =
      server->rest("greengrass", "POST", "/greengrass/v2/createComponentVersion",
                   {{"inlineRecipe", base::to_base64(base::to_text(recipe))}});
  return created(answer);
}

ComponentVersion create_from_recipe(ServerClient& server, Terminal& terminal,
                                    const base::fs::path& file) {
  json::value recipe =
      recipe::parse_json_or_yaml(base::read_file(file, kMostRecipeBytes), file.string());
  const base::JsonReader reader(recipe, file.string());
  const ComponentVersion made{reader.required_text("ComponentName"),
                              reader.required_text("ComponentVersion"), ""};
  json::value* const manifests = recipe.as_object().if_contains("Manifests");
  if (manifests != nullptr && manifests->is_array()) {
    for (json::value& manifest : manifests->get_array()) {
      json::value* const artifacts =
          manifest.is_object() ? manifest.get_object().if_contains("Artifacts") : nullptr;
      if (artifacts == nullptr || !artifacts->is_array()) continue;
      for (json::value& artifact : artifacts->get_array()) {
        json::value* const uri =
            artifact.is_object() ? artifact.get_object().if_contains("Uri") : nullptr;
        if (uri == nullptr || !uri->is_string()) continue;
        const std::string place(uri->get_string());
        if (place.find("://") != std::string::npos || recipe::is_image_uri(place)) continue;
        *uri = upload_artifact(server, terminal, made, file.parent_path() / place);
      }
    }
  }
  return create_component_version(server, recipe);
}

std::vector<base::fs::path> inspect_modules(const base::fs::path& program) {
  std::map<std::string, base::fs::path> found;  // by name
  const base::fs::path folder = program.parent_path();
  const auto architecture = program_architecture(program);
  for (const base::fs::path& place : {folder, folder / "../lib/andon"}) {
    std::error_code error;
    for (const auto& entry : base::fs::directory_iterator(place.empty() ? "." : place, error)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with("andon-inspect-") || !name.ends_with(".so")) continue;
      if (!entry.is_regular_file(error) || program_architecture(entry.path()) != architecture) {
        continue;
      }
      found.emplace(name, entry.path());
    }
  }
  std::vector<base::fs::path> modules;
  for (auto& [name, path] : found) modules.push_back(std::move(path));
  return modules;
}

ComponentVersion create_inspect(ServerClient& server, Terminal& terminal,
                                const InspectComponent& component) {
  (void)component_versions(server, component.model);
  const ComponentVersion owner{component.name, component.version, ""};
  json::array artifacts;
  const auto add = [&](const base::fs::path& file, json::object permission) {
    artifacts.push_back(json::object{{"Uri", upload_artifact(server, terminal, owner, file)},
                                     {"Permission", std::move(permission)}});
  };
  add(component.program, json::object{{"Read", "ALL"}, {"Execute", "ALL"}});
  if (component.has_modules) {
    for (const base::fs::path& module : inspect_modules(component.program)) {
      add(module, json::object{{"Read", "ALL"}});
    }
  }
  const std::string program = component.program.filename().string();
  const json::object access{
      {"policyDescription", "Publishes results under the device's own topics"},
      {"operations", json::array{"aws.greengrass#PublishToIoTCore"}},
      {"resources", json::array{"andon/things/{iot:thingName}/*"}}};
  const json::object hears{{"policyDescription", "Hears who asks for live frames"},
                           {"operations", json::array{"aws.greengrass#SubscribeToTopic"}},
                           {"resources", json::array{"andon/inspect/frames/ask"}}};
  const json::object shows{{"policyDescription", "Answers with live frames"},
                           {"operations", json::array{"aws.greengrass#PublishToTopic"}},
                           {"resources", json::array{"andon/inspect/frames"}}};
  const json::object configuration{
      {"confidence", 0.25},
      {"iou", 0.7},
      {"accessControl",
       {{"aws.greengrass.ipc.mqttproxy", {{component.name + ":mqttproxy:1", access}}},
        {"aws.greengrass.ipc.pubsub",
         {{component.name + ":pubsub:1", hears}, {component.name + ":pubsub:2", shows}}}}}};
  json::object platform{{"os", "linux"}, {"runtime", "*"}};
  if (const auto architecture = program_architecture(component.program)) {
    platform["architecture"] = *architecture;
  }
  json::object dependencies{
      {component.model, {{"VersionRequirement", ">=0.0.0"}, {"DependencyType", "HARD"}}},
      {"aws.greengrass.TokenExchangeService",
       {{"VersionRequirement", ">=2.0.0 <3.0.0"}, {"DependencyType", "HARD"}}}};
  std::string script =
      fmt::format("exec {{artifacts:path}}/{} --model {{{}:artifacts:path}}/model.onnx", program,
                  component.model);
  if (component.has_runtime) {
    dependencies[kRuntimeComponent] = {{"VersionRequirement", ">=1.22.0 <2.0.0"},
                                       {"DependencyType", "HARD"}};
    script += fmt::format(" --onnxruntime {{{}:artifacts:path}}", kRuntimeComponent);
  }
  const json::object recipe{
      {"RecipeFormatVersion", "2020-01-25"},
      {"ComponentName", component.name},
      {"ComponentVersion", component.version},
      {"ComponentDescription", "Looks with " + component.model + " and publishes what it finds"},
      {"ComponentPublisher", "andon"},
      {"ComponentDependencies", std::move(dependencies)},
      {"ComponentConfiguration", {{"DefaultConfiguration", configuration}}},
      {"Manifests", json::array{json::object{{"Platform", std::move(platform)},
                                             {"Lifecycle", {{"run", {{"Script", script}}}}},
                                             {"Artifacts", std::move(artifacts)}}}}};
  return create_component_version(server, recipe);
}

}  // namespace andon::cli
