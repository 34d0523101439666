// SPDX-License-Identifier: Apache-2.0
// The component operations of AWS IoT Greengrass V2.
#include <utility>

#include "api/greengrass/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "recipe/recipe/recipe_parser.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

struct VersionRef {
  std::string name;
  std::string version;
};

VersionRef read_version_arn(const json::object& input) {
  const std::string arn = required_text(input, "arn");
  const auto ref = fleet::parse_component_arn(arn);
  if (!ref || !ref->version) {
    throw Error(ErrorCode::invalid_argument,
                "arn: \"" + arn + "\" must be the ARN of a component version");
  }
  return {ref->name, *ref->version};
}

control::ComponentVersion require_version(const control::ControlPlane& control,
                                          const VersionRef& ref) {
  auto component = control.components.find(ref.name, ref.version);
  if (!component) {
    throw Error(ErrorCode::not_found,
                "there is no component " + ref.name + " version " + ref.version);
  }
  return *std::move(component);
}

std::string_view to_string(control::ComponentState state) {
  switch (state) {
    case control::ComponentState::failed:
      return "FAILED";
    case control::ComponentState::deprecated:
      return "DEPRECATED";
    case control::ComponentState::deployable:
      break;
  }
  return "DEPLOYABLE";
}

json::object show(const control::ComponentCondition& condition) {
  const bool is_deprecated = condition.state == control::ComponentState::deprecated;
  const std::string message = condition.message.empty() ? "NONE" : condition.message;
  return {{"componentState", to_string(condition.state)},
          {"message", message},
          {"errors", to_object(condition.errors)},
          {"vendorGuidance", is_deprecated ? "DISCONTINUED" : "ACTIVE"},
          {"vendorGuidanceMessage", is_deprecated ? message : "NONE"}};
}

json::array describe_platforms(const control::ComponentSummary& summary) {
  json::array platforms;
  for (const auto& platform : summary.platforms) {
    platforms.emplace_back(json::object{{"attributes", to_object(platform)}});
  }
  return platforms;
}

json::value create_version(control::ControlPlane& control, const OperationContext& context) {
  if (context.input.if_contains("lambdaFunction") != nullptr) {
    throw Error(ErrorCode::invalid_argument,
                "lambdaFunction: this server makes components from recipes only; give "
                "inlineRecipe");
  }
  const auto recipe = base::from_base64(required_text(context.input, "inlineRecipe"));
  if (!recipe) throw Error(ErrorCode::invalid_argument, "inlineRecipe: is not base64");
  const control::TagMap tags = text_map(context.input, "tags");
  std::optional<std::string> token;
  if (std::string text = text_or_empty(context.input, "clientToken"); !text.empty()) token = text;
  const control::ComponentSummary made = control.components.create(*recipe, token);
  if (!tags.empty()) control.tags.set(made.arn, tags);
  return json::object{{"arn", made.arn},
                      {"componentName", made.name},
                      {"componentVersion", made.version},
                      {"creationTimestamp", base::to_epoch_seconds(made.created)},
                      {"status", show(control.components.condition(made.name, made.version))}};
}

json::value describe(const control::ControlPlane& control, const OperationContext& context) {
  const control::ComponentSummary summary =
      require_version(control, read_version_arn(context.input)).summary;
  json::object output{{"arn", summary.arn},
                      {"componentName", summary.name},
                      {"componentVersion", summary.version},
                      {"creationTimestamp", base::to_epoch_seconds(summary.created)},
                      {"status", show(control.components.condition(summary.name, summary.version))},
                      {"platforms", describe_platforms(summary)}};
  put_unless_empty(output, "publisher", summary.publisher);
  put_unless_empty(output, "description", summary.description);
  put_tags(output, control, summary.arn);
  return output;
}

json::value get(const control::ControlPlane& control, const OperationContext& context) {
  const auto component = require_version(control, read_version_arn(context.input));
  std::string format = word_or_empty(context.input, "recipeOutputFormat", {"JSON", "YAML"});
  if (format.empty()) format = "JSON";
  std::string recipe = component.recipe;
  const std::size_t first = recipe.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string::npos && recipe[first] == '{';
  // JSON is YAML too, so only the other way needs work.
  if (format == "JSON" && !is_json) {
    recipe = base::to_pretty_text(recipe::parse_json_or_yaml(recipe, "recipe"));
  }
  json::object output{{"recipeOutputFormat", format}, {"recipe", base::to_base64(recipe)}};
  put_tags(output, control, component.summary.arn);
  return output;
}

json::value list(const control::ControlPlane& control, const OperationContext& context) {
  const std::string scope = word_or_empty(context.input, "scope", {"PRIVATE", "PUBLIC"});
  const control::PageRequest page = read_page(context.input, {});
  json::array components;
  json::object output;
  if (scope != "PUBLIC") {  // there are no components of a vendor here
    const auto found = control.components.list(page);
    for (const control::ComponentSummary& summary : found.items) {
      json::object latest{{"arn", summary.arn},
                          {"componentVersion", summary.version},
                          {"creationTimestamp", base::to_epoch_seconds(summary.created)},
                          {"platforms", describe_platforms(summary)}};
      put_unless_empty(latest, "description", summary.description);
      put_unless_empty(latest, "publisher", summary.publisher);
      components.emplace_back(json::object{{"arn", control.arns.component(summary.name)},
                                           {"componentName", summary.name},
                                           {"latestVersion", std::move(latest)}});
    }
    put_next(output, found.next);
  }
  output["components"] = std::move(components);
  return output;
}

json::value list_versions(const control::ControlPlane& control, const OperationContext& context) {
  const std::string arn = required_text(context.input, "arn");
  const auto ref = fleet::parse_component_arn(arn);
  if (!ref) {
    throw Error(ErrorCode::invalid_argument, "arn: \"" + arn + "\" must be a component's ARN");
  }
  const auto found = control.components.list_versions(ref->name, read_page(context.input, {}));
  json::array versions;
  for (const control::ComponentSummary& summary : found.items) {
    versions.emplace_back(json::object{{"componentName", summary.name},
                                       {"componentVersion", summary.version},
                                       {"arn", summary.arn}});
  }
  json::object output{{"componentVersions", std::move(versions)}};
  put_next(output, found.next);
  return output;
}

json::value remove(control::ControlPlane& control, const OperationContext& context) {
  const VersionRef ref = read_version_arn(context.input);
  control.components.remove(ref.name, ref.version);
  return nullptr;
}

json::value resolve(const control::ControlPlane& control, const OperationContext& context) {
  const fleet::ResolveRequest request = fleet::read_resolve_request(context.input);
  std::vector<fleet::ResolvedVersion> resolved;
  for (const fleet::ComponentCandidate& candidate : request.candidates) {
    resolved.push_back(as_resolved(control.components.resolve(candidate, request.platform)));
  }
  return fleet::make_resolve_answer(resolved);
}

json::value artifact_url(const control::ControlPlane& control, const PresignObject& presign,
                         const OperationContext& context) {
  const VersionRef ref = read_version_arn(context.input);
  const std::string name = required_text(context.input, "artifactName");
  (void)require_version(control, ref);
  const auto artifact = control.components.find_artifact(ref.name, ref.version, name);
  if (!artifact) {
    throw Error(ErrorCode::not_found, "component " + ref.name + " version " + ref.version +
                                          " has no artifact \"" + name + "\"");
  }
  return json::object{
      {"preSignedUrl", presign(std::string(control::kArtifactBucket), artifact->pinned_key)}};
}

}  // namespace

fleet::ResolvedVersion as_resolved(const control::ComponentVersion& component) {
  return {component.summary.arn, component.summary.name, component.summary.version,
          component.served_recipe};
}

std::vector<Operation> component_operations(control::ControlPlane& control, PresignObject presign) {
  const auto row = [](std::string_view name, std::string_view method, std::string_view path,
                      int status, auto handler) {
    return Operation{"greengrass", name,   Protocol::rest_json, method,
                     path,         status, std::move(handler)};
  };
  const auto with = [&control](auto function) {
    return [&control, function](const OperationContext& context) {
      return function(control, context);
    };
  };
  return {
      row("CreateComponentVersion", "POST", "/greengrass/v2/createComponentVersion", 201,
          with(create_version)),
      row("DescribeComponent", "GET", "/greengrass/v2/components/{arn}/metadata", 200,
          with(describe)),
      row("GetComponent", "GET", "/greengrass/v2/components/{arn}", 200, with(get)),
      row("ListComponents", "GET", "/greengrass/v2/components", 200, with(list)),
      row("ListComponentVersions", "GET", "/greengrass/v2/components/{arn}/versions", 200,
          with(list_versions)),
      row("DeleteComponent", "DELETE", "/greengrass/v2/components/{arn}", 204, with(remove)),
      row("ResolveComponentCandidates", "POST", fleet::kResolvePath, 200, with(resolve)),
      row("GetComponentVersionArtifact", "GET",
          "/greengrass/v2/components/{arn}/artifacts/{artifactName+}", 200,
          [&control, presign = std::move(presign)](const OperationContext& context) {
            return artifact_url(control, presign, context);
          }),
  };
}

}  // namespace andon::api
