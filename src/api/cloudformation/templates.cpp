// SPDX-License-Identifier: Apache-2.0
// Templates as they are: given back, summed up, checked.
#include <algorithm>
#include <set>

#include "api/cloudformation/rows.hpp"
#include "base/error/error.hpp"
#include "stacks/language/template.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

std::string text_of_default(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : base::to_text(value);
}

bool has_iam(const stacks::Template& read) {
  return std::ranges::any_of(read.resources, [](const stacks::Resource& resource) {
    return resource.type.starts_with("AWS::IAM::");
  });
}

bool has_named_iam(const stacks::Template& read) {
  return std::ranges::any_of(read.resources, [](const stacks::Resource& resource) {
    const ResourceType* type = find_type(resource.type);
    return resource.type.starts_with("AWS::IAM::") && type != nullptr &&
           !type->name_property.empty() && resource.properties.contains(type->name_property);
  });
}

void put_capabilities(json::object& output, const stacks::Template& read) {
  if (!has_iam(read)) return;
  output["Capabilities"] =
      json::array{has_named_iam(read) ? "CAPABILITY_NAMED_IAM" : "CAPABILITY_IAM"};
  output["CapabilitiesReason"] =
      "The template has resources of IAM; this server does not ask for "
      "a capability, but for the caller's rights";
}

json::array parameters_of(const stacks::Template& read, bool with_type) {
  json::array list;
  for (const stacks::Parameter& parameter : read.parameters) {
    json::object one{{"ParameterKey", parameter.name}, {"NoEcho", parameter.is_secret}};
    if (parameter.standard) one["DefaultValue"] = text_of_default(*parameter.standard);
    if (!parameter.description.empty()) one["Description"] = parameter.description;
    if (with_type) {
      one["ParameterType"] = parameter.type;
      if (!parameter.allowed.empty()) {
        one["ParameterConstraints"] = {{"AllowedValues", to_array(parameter.allowed)}};
      }
    }
    list.push_back(std::move(one));
  }
  return list;
}

stacks::Template read_given(const CloudFormationParts& parts, const OperationContext& context) {
  auto text = read_template_text(parts, context);
  const std::string name = text_or_empty(context.input, "StackName");
  if (!text && !name.empty()) text = require_stack(parts, name).template_text;
  if (!text) {
    throw Error(ErrorCode::invalid_argument,
                "Either Template URL or Template Body must be specified.");
  }
  return stacks::read_template(*text, "the template");
}

json::value get(const CloudFormationParts& parts, const OperationContext& context) {
  const std::string name = text_or_empty(context.input, "StackName");
  const std::string change_set = text_or_empty(context.input, "ChangeSetName");
  std::string text;
  if (!change_set.empty()) {
    const std::string stack = name.empty() ? "" : require_stack(parts, name).id;
    const auto found = parts.engine.stacks().find_change_set(stack, change_set);
    if (!found) {
      throw ServiceError(404, "ChangeSetNotFound", "ChangeSet [" + change_set + "] does not exist");
    }
    text = member_text(found->request, "template");
  } else {
    text = require_stack(parts, name).template_text;
  }
  return json::object{{"TemplateBody", text},
                      {"StagesAvailable", json::array{"Original", "Processed"}}};
}

json::value summary(const CloudFormationParts& parts, const OperationContext& context) {
  const stacks::Template read = read_given(parts, context);
  std::set<std::string> types;
  for (const stacks::Resource& resource : read.resources) types.insert(resource.type);
  json::object output{{"Parameters", parameters_of(read, true)},
                      {"ResourceTypes", json::array(types.begin(), types.end())},
                      {"Version", "2010-09-09"},
                      {"DeclaredTransforms", to_array(read.transforms)}};
  put_unless_empty(output, "Description", read.description);
  put_capabilities(output, read);
  return output;
}

json::value validate(const CloudFormationParts& parts, const OperationContext& context) {
  const stacks::Template read = read_given(parts, context);
  json::object output{{"Parameters", parameters_of(read, false)},
                      {"DeclaredTransforms", to_array(read.transforms)}};
  put_unless_empty(output, "Description", read.description);
  put_capabilities(output, read);
  return output;
}

}  // namespace

std::vector<Operation> template_operations(const CloudFormationParts& parts) {
  return {stack_row(parts, "GetTemplate", get), stack_row(parts, "GetTemplateSummary", summary),
          stack_row(parts, "ValidateTemplate", validate)};
}

}  // namespace andon::api
