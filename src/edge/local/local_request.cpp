// SPDX-License-Identifier: Apache-2.0
#include "edge/local/local_request.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "fleet/names/arn.hpp"
#include "recipe/version/semver.hpp"

namespace andon::edge {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kPrefix = "local-";
constexpr std::string_view kWhat = "local deployment";
constexpr std::size_t kMostComponents = 256;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::invalid_argument, std::string(kWhat) + ": " + why);
}

void check_component_name(std::string_view name) {
  const bool is_name = !name.empty() && name.size() <= 128 && name != "." && name != ".." &&
                       std::ranges::all_of(name, [](char c) {
                         return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
                       });
  if (!is_name) refuse("'" + std::string(name.substr(0, 64)) + "' is not a component's name");
}

// `name` in any case, as clients of Greengrass write MERGE and RESET.
const json::value* find_any_case(const json::object& object, std::string_view upper,
                                 std::string_view lower) {
  const json::value* found = object.if_contains(upper);
  return found != nullptr ? found : object.if_contains(lower);
}

recipe::ConfigurationUpdate read_update(const std::string& component, const json::value& value) {
  const std::string where = "componentToConfiguration." + component;
  if (!value.is_object()) refuse(where + " must be an object with MERGE and RESET");
  recipe::ConfigurationUpdate update;
  if (const json::value* merge = find_any_case(value.get_object(), "MERGE", "merge")) {
    if (!merge->is_object()) refuse(where + ".MERGE must be an object");
    if (recipe::depth_of(*merge, recipe::kMaxConfigurationDepth) > recipe::kMaxConfigurationDepth) {
      refuse(where + ".MERGE is nested too deep");
    }
    update.merge = merge->get_object();
  }
  if (const json::value* reset = find_any_case(value.get_object(), "RESET", "reset")) {
    if (!reset->is_array()) refuse(where + ".RESET must be a list of JSON pointers");
    for (const json::value& pointer : reset->get_array()) {
      if (!pointer.is_string()) refuse(where + ".RESET must be a list of JSON pointers");
      static_cast<void>(base::split_pointer(pointer.get_string()));
      update.reset.emplace_back(pointer.get_string());
    }
  }
  return update;
}

recipe::RunWith read_run_with(const base::JsonReader& reader) {
  recipe::RunWith run_with;
  run_with.posix_user = reader.optional_string("posixUser").value_or("");
  run_with.windows_user = reader.optional_string("windowsUser").value_or("");
  if (reader.has("systemResourceLimits")) {
    run_with.limits = recipe::parse_resource_limits(reader.child("systemResourceLimits"));
  }
  return run_with;
}

fs::path read_directory(const base::JsonReader& reader, std::string_view key) {
  const std::string text = reader.optional_string(key).value_or("");
  if (text.find('\0') != std::string::npos || (!text.empty() && text.front() != '/')) {
    refuse(std::string(key) + " must be an absolute path");
  }
  return text;
}

}  // namespace

LocalRequest read_local_request(const json::object& request) {
  const base::JsonReader reader(request, std::string(kWhat));
  LocalRequest read;
  read.group = reader.optional_string("groupName").value_or("");
  if (!read.group.empty() && !fleet::is_thing_name(read.group)) {
    refuse("'" + read.group.substr(0, 64) + "' is not the name of a thing group");
  }
  if (const json::object* add = reader.optional_object("rootComponentVersionsToAdd")) {
    for (const auto& [name, version] : *add) {
      check_component_name(name);
      if (!version.is_string()) refuse("the version of " + std::string(name) + " must be a text");
      static_cast<void>(recipe::VersionRange::parse(version.get_string()));
      read.add.emplace(name, version.get_string());
    }
  }
  // The name that the SDKs use, and the one of Greengrass nucleus lite.
  for (const char* const key : {"rootComponentsToRemove", "rootComponentVersionsToRemove"}) {
    for (const std::string& name : reader.strings(key)) {
      check_component_name(name);
      read.remove.insert(name);
    }
  }
  if (const json::object* all = reader.optional_object("componentToConfiguration")) {
    for (const auto& [name, update] : *all) {
      check_component_name(name);
      read.configurations.emplace(name, read_update(std::string(name), update));
    }
  }
  if (const json::object* all = reader.optional_object("componentToRunWithInfo")) {
    for (const auto& [name, info] : *all) {
      read.run_with.emplace(name,
                            read_run_with({info, "componentToRunWithInfo." + std::string(name)}));
    }
  }
  read.recipes = read_directory(reader, "recipeDirectoryPath");
  read.artifacts = read_directory(reader, "artifactsDirectoryPath");
  const std::string policy = reader.optional_string("failureHandlingPolicy").value_or("ROLLBACK");
  if (policy == "DO_NOTHING") {
    read.failure_handling = recipe::FailureHandling::do_nothing;
  } else if (policy != "ROLLBACK") {
    refuse("failureHandlingPolicy must be ROLLBACK or DO_NOTHING");
  }
  if (read.add.size() + read.remove.size() + read.configurations.size() > kMostComponents) {
    refuse("more than " + std::to_string(kMostComponents) + " components");
  }
  if (read.add.empty() && read.remove.empty() && read.configurations.empty() &&
      read.recipes.empty()) {
    refuse("it changes nothing: name components to add, to remove or to configure");
  }
  for (const std::string& name : read.remove) {
    if (read.add.contains(name)) refuse(name + " is both to be added and to be removed");
  }
  return read;
}

std::string local_job_id(std::string_view deployment_id) {
  return std::string(kPrefix) + std::string(deployment_id);
}

bool is_local_job(std::string_view job_id) {
  return job_id.starts_with(kPrefix);
}

std::string local_deployment_id(std::string_view job_id) {
  return is_local_job(job_id) ? std::string(job_id.substr(kPrefix.size())) : "";
}

std::string local_document(const json::object& request) {
  return base::to_text(request);
}

LocalDeployment parse_local_document(std::string_view text, std::string_view deployment_id,
                                     const InstalledSet& set) {
  const json::value value = base::parse_json(text, kWhat, {.max_bytes = 1U << 20U});
  if (!value.is_object()) refuse("it is no JSON object");
  LocalDeployment local;
  local.request = read_local_request(value.get_object());
  const LocalRequest& request = local.request;
  recipe::DeploymentDocument& document = local.document;
  document.deployment_id = deployment_id;
  document.failure_handling = request.failure_handling;
  const std::string target =
      request.group.empty() ? std::string(kLocalTarget) : "thinggroup/" + request.group;
  document.configuration_arn =
      request.group.empty() ? target : "arn:aws:greengrass:local:0:configuration:" + target + ":0";
  std::set<std::string> missing = request.remove;
  if (const auto before = set.targets.find(target); before != set.targets.end()) {
    if (!request.group.empty()) document.configuration_arn = before->second.configuration_arn;
    // A deployment of the server's that is on its way must not look older than this one.
    document.creation_timestamp_ms = before->second.creation_timestamp_ms;
    for (const auto& [name, root] : before->second.roots) {
      if (missing.erase(name) > 0) continue;
      recipe::ComponentDeployment component;
      component.version = root.version;
      if (!root.run_as.empty() || !root.limits.empty()) {
        component.run_with = recipe::RunWith{.posix_user = root.run_as, .limits = root.limits};
      }
      document.components.emplace(name, std::move(component));
    }
  }
  if (!missing.empty()) {
    refuse("component " + *missing.begin() + " is not to be removed: it is none of " + target);
  }
  for (const auto& [name, version] : request.add) document.components[name].version = version;
  for (const auto& [name, run_with] : request.run_with) {
    const auto found = document.components.find(name);
    if (found == document.components.end()) {
      refuse("componentToRunWithInfo names " + name + ", which is no component of " + target);
    }
    found->second.run_with = run_with;
  }
  for (const auto& [name, update] : request.configurations) {
    auto found = document.components.find(name);
    if (found == document.components.end()) {
      recipe::ComponentDeployment only;
      only.version = "*";
      only.is_root = false;
      found = document.components.emplace(name, std::move(only)).first;
    }
    found->second.configuration_update = update;
  }
  return local;
}

}  // namespace andon::edge
