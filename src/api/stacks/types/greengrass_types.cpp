// SPDX-License-Identifier: Apache-2.0
// Components and deployments.
#include <map>

#include "api/stacks/types/resource_type.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "recipe/reader/json_or_yaml.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using Kind = Property::Kind;
using Change = Property::Change;

constexpr std::size_t kLongestName = 128;

struct Named {
  std::string component;
  std::string version;
};

// What the recipe says that it is; members may be spelled in any case.
Named name_in(const Work& work) {
  const json::value recipe = recipe::parse_json_or_yaml(work.text("InlineRecipe"), "InlineRecipe",
                                                        {.max_bytes = 1U << 20U});
  const base::JsonReader reader(recipe, "InlineRecipe",
                                {.keys = base::JsonReading::Keys::any_case});
  return {reader.required_text("ComponentName"), reader.required_text("ComponentVersion")};
}

std::string version_arn(const Work& work) {
  const Named named = name_in(work);
  return work.arn("greengrass", "components:" + named.component + ":versions:" + named.version);
}

std::optional<json::object> find_version(const Work& work) {
  if (!work.calls.find("greengrass", "DescribeComponent", {{"arn", work.physical_id}})) {
    return std::nullopt;
  }
  const Named named = name_in(work);
  return json::object{{"Arn", work.physical_id},
                      {"ComponentName", named.component},
                      {"ComponentVersion", named.version}};
}

std::string create_version(const Work& work) {
  json::object input{{"inlineRecipe", base::to_base64(work.text("InlineRecipe"))},
                     {"clientToken", work.token()}};
  if (work.get("Tags") != nullptr) input["tags"] = tag_map(work.get("Tags"));
  return member_text(work.calls.call("greengrass", "CreateComponentVersion", input), "arn");
}

void remove_version(const Work& work) {
  work.calls.call_unless_gone("greengrass", "DeleteComponent", {{"arn", work.physical_id}});
}

std::optional<json::object> find_deployment(const Work& work) {
  if (work.physical_id.empty()) return std::nullopt;
  const auto found =
      work.calls.find("greengrass", "GetDeployment", {{"deploymentId", work.physical_id}});
  if (!found) return std::nullopt;
  return json::object{{"DeploymentId", work.physical_id}};
}

// Components' configurations are JSON texts on the wire, and may be objects in a template.
json::value components_of(const json::value& components) {
  json::value made = lowered(components);
  if (!components.is_object()) return made;
  json::object by_name;
  for (const auto& [name, given] : components.get_object()) {
    json::value one = lowered(given);
    if (auto* object = one.if_object()) {
      if (const auto* update = member(given, "ConfigurationUpdate")) {
        json::object changed;
        if (const auto* merge = member(*update, "Merge")) changed["merge"] = document_text(*merge);
        if (const auto* reset = member(*update, "Reset")) changed["reset"] = *reset;
        (*object)["configurationUpdate"] = std::move(changed);
      }
    }
    by_name[name] = std::move(one);
  }
  return by_name;
}

std::string create_deployment(const Work& work) {
  json::object input{{"targetArn", work.text("TargetArn")}, {"clientToken", work.token()}};
  const std::string name = work.text("DeploymentName");
  input["deploymentName"] = name.empty() ? work.made_name(kLongestName) : name;
  if (const auto* components = work.get("Components")) {
    input["components"] = components_of(*components);
  }
  if (const auto* policies = work.get("DeploymentPolicies")) {
    input["deploymentPolicies"] = lowered(*policies);
  }
  if (const auto* jobs = work.get("IotJobConfiguration")) {
    input["iotJobConfiguration"] = lowered(*jobs);
  }
  if (const std::string parent = work.text("ParentTargetArn"); !parent.empty()) {
    input["parentTargetArn"] = parent;
  }
  if (work.get("Tags") != nullptr) input["tags"] = tag_map(work.get("Tags"));
  return member_text(work.calls.call("greengrass", "CreateDeployment", input), "deploymentId");
}

// A deployment that counts is cancelled first; where a later one has taken its place it is not.
void remove_deployment(const Work& work) {
  if (work.physical_id.empty()) return;
  const json::object input{{"deploymentId", work.physical_id}};
  const auto found = work.calls.find("greengrass", "GetDeployment", input);
  if (!found) return;
  const std::string status = member_text(*found, "deploymentStatus");
  if (status != "CANCELED" && status != "INACTIVE") {
    work.calls.call_unless_gone("greengrass", "CancelDeployment", input);
  }
  work.calls.call_unless_gone("greengrass", "DeleteDeployment", input);
}

}  // namespace

std::vector<ResourceType> greengrass_types() {
  return {
      {"AWS::GreengrassV2::ComponentVersion",
       {{"InlineRecipe", Kind::document, Change::replace}, {"Tags", Kind::any, Change::replace}},
       "",
       version_arn,
       find_version,
       create_version,
       nullptr,
       remove_version},
      {"AWS::GreengrassV2::Deployment",
       {{"TargetArn", Kind::text, Change::replace},
        {"DeploymentName", Kind::text, Change::replace},
        {"Components", Kind::any, Change::replace},
        {"DeploymentPolicies", Kind::any, Change::replace},
        {"IotJobConfiguration", Kind::any, Change::replace},
        {"ParentTargetArn", Kind::text, Change::replace},
        {"Tags", Kind::any, Change::replace}},
       "",
       nullptr,
       find_deployment,
       create_deployment,
       nullptr,
       remove_deployment},
  };
}

}  // namespace andon::api
