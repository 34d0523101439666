// SPDX-License-Identifier: Apache-2.0
#include "api/greengrass/greengrass.hpp"

#include <iterator>
#include <utility>

#include "api/greengrass/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

// Components, deployments and core devices by ARN; throws not_found for what is not there.
void require_resource(const control::ControlPlane& control, const std::string& arn) {
  bool found = false;
  if (const auto component = fleet::parse_component_arn(arn)) {
    found = component->version && control.components.find(component->name, *component->version);
  } else {
    const auto starts_with = [&](const std::string& prefix) { return arn.starts_with(prefix); };
    const std::string deployments = control.arns.deployment("");
    const std::string devices = control.arns.core_device("");
    if (starts_with(deployments)) {
      found = control.deployments.find(arn.substr(deployments.size())).has_value();
    } else if (starts_with(devices)) {
      found = control.core_devices.find(arn.substr(devices.size())).has_value();
    }
  }
  if (!found) throw Error(ErrorCode::not_found, "there is no resource " + arn);
}

std::vector<std::string> read_tag_keys(const json::object& input) {
  const json::value* keys = input.if_contains("tagKeys");
  if (keys != nullptr && keys->is_string()) return {std::string(keys->get_string())};
  if (keys == nullptr || !keys->is_array()) {
    throw Error(ErrorCode::invalid_argument, "tagKeys: is missing");
  }
  std::vector<std::string> texts;
  for (const json::value& key : keys->get_array()) {
    if (!key.is_string()) throw Error(ErrorCode::invalid_argument, "tagKeys: must be texts");
    texts.emplace_back(key.get_string());
  }
  return texts;
}

void append(std::vector<Operation>& all, std::vector<Operation> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

Operation operation_of(control::ControlPlane& control, std::string_view name,
                       std::string_view method, std::string_view path, int status,
                       ControlFunction function) {
  return {"greengrass",
          name,
          Protocol::rest_json,
          method,
          path,
          status,
          [&control, function = std::move(function)](const OperationContext& context) {
            return function(control, context);
          }};
}

void put_tags(json::object& output, const control::ControlPlane& control, const std::string& arn) {
  const control::TagMap tags = control.tags.of(arn);
  if (!tags.empty()) output["tags"] = to_object(tags);
}

std::vector<Operation> tag_operations(control::ControlPlane& control) {
  const auto row = [](std::string_view name, std::string_view method, auto handler) {
    return Operation{"greengrass",          name, Protocol::rest_json, method,
                     "/tags/{resourceArn}", 200,  std::move(handler)};
  };
  return {
      row("TagResource", "POST",
          [&control](const OperationContext& context) -> json::value {
            const std::string arn = required_text(context.input, "resourceArn");
            require_resource(control, arn);
            control.tags.set(arn, text_map(context.input, "tags"));
            return json::object{};
          }),
      row("UntagResource", "DELETE",
          [&control](const OperationContext& context) -> json::value {
            const std::string arn = required_text(context.input, "resourceArn");
            require_resource(control, arn);
            control.tags.remove(arn, read_tag_keys(context.input));
            return json::object{};
          }),
      row("ListTagsForResource", "GET",
          [&control](const OperationContext& context) -> json::value {
            const std::string arn = required_text(context.input, "resourceArn");
            require_resource(control, arn);
            return json::object{{"tags", to_object(control.tags.of(arn))}};
          }),
  };
}

std::vector<Operation> greengrass_operations(control::ControlPlane& control,
                                             PresignObject presign) {
  std::vector<Operation> all = component_operations(control, std::move(presign));
  append(all, deployment_operations(control));
  append(all, core_device_operations(control));
  append(all, client_device_operations(control));
  append(all, tag_operations(control));
  return all;
}

}  // namespace andon::api
