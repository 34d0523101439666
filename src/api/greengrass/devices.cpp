// SPDX-License-Identifier: Apache-2.0
// The core device operations of AWS IoT Greengrass V2.
#include <functional>
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

control::CoreDevice require_device(const control::ControlPlane& control, const std::string& thing) {
  auto device = control.core_devices.find(thing);
  if (!device) {
    throw Error(ErrorCode::not_found,
                "there is no core device \"" + thing + "\", or it has not reported yet");
  }
  return *std::move(device);
}

json::object describe(const control::CoreDevice& device) {
  json::object output{
      {"coreDeviceThingName", device.thing},
      {"status", device.status},
      {"lastStatusUpdateTimestamp", base::to_epoch_seconds(device.last_status_update)}};
  put_unless_empty(output, "platform", device.platform);
  put_unless_empty(output, "architecture", device.architecture);
  put_unless_empty(output, "runtime", device.runtime);
  return output;
}

json::value get(const control::ControlPlane& control, const OperationContext& context) {
  const control::CoreDevice device =
      require_device(control, required_text(context.input, "coreDeviceThingName"));
  json::object output = describe(device);
  put_unless_empty(output, "coreVersion", device.core_version);
  put_tags(output, control, control.arns.core_device(device.thing));
  return output;
}

json::value list(const control::ControlPlane& control, const OperationContext& context) {
  control::CoreDeviceFilter filter;
  const std::string group_arn = text_or_empty(context.input, "thingGroupArn");
  if (!group_arn.empty()) {
    const auto group = fleet::parse_target_arn(group_arn);
    if (!group || group->kind != fleet::Target::Kind::thing_group) {
      throw Error(ErrorCode::invalid_argument, "thingGroupArn: must be the ARN of a thing group");
    }
    filter.thing_group = group->name;
  }
  filter.status = word_or_empty(context.input, "status", {"HEALTHY", "UNHEALTHY"});
  filter.runtime = text_or_empty(context.input, "runtime");
  const auto found = control.core_devices.list(filter, read_page(context.input, {}));
  json::array devices;
  for (const control::CoreDevice& device : found.items) devices.emplace_back(describe(device));
  json::object output{{"coreDevices", std::move(devices)}};
  put_next(output, found.next);
  return output;
}

json::value remove(control::ControlPlane& control, const OperationContext& context) {
  const std::string thing = required_text(context.input, "coreDeviceThingName");
  (void)require_device(control, thing);
  control.core_devices.remove(thing);
  return nullptr;
}

json::value list_effective(const control::ControlPlane& control, const OperationContext& context) {
  const std::string thing = required_text(context.input, "coreDeviceThingName");
  if (!control.things.find(thing)) {
    throw Error(ErrorCode::not_found, "there is no core device \"" + thing + "\"");
  }
  const auto found = control.jobs.effective_deployments(thing, read_page(context.input, {}));
  json::array deployments;
  for (const control::EffectiveDeployment& effective : found.items) {
    json::object one{{"deploymentId", effective.deployment_id},
                     {"deploymentName", effective.deployment_name},
                     {"iotJobId", effective.deployment_id},
                     {"iotJobArn", control.arns.job(effective.deployment_id)},
                     {"targetArn", effective.target_arn},
                     {"coreDeviceExecutionStatus", to_string(effective.execution.status)},
                     {"reason", effective.reason},
                     {"creationTimestamp", base::to_epoch_seconds(effective.created)},
                     {"modifiedTimestamp", base::to_epoch_seconds(effective.execution.updated)}};
    if (!effective.error_stack.empty() || !effective.error_types.empty()) {
      one["statusDetails"] = {{"errorStack", to_array(effective.error_stack)},
                              {"errorTypes", to_array(effective.error_types)}};
    }
    deployments.emplace_back(std::move(one));
  }
  json::object output{{"effectiveDeployments", std::move(deployments)}};
  put_next(output, found.next);
  return output;
}

json::value list_installed(const control::ControlPlane& control, const OperationContext& context) {
  const std::string thing = required_text(context.input, "coreDeviceThingName");
  (void)require_device(control, thing);
  const std::string topology = word_or_empty(context.input, "topologyFilter", {"ALL", "ROOT"});
  const auto found = control.core_devices.installed(
      thing, topology == "ALL" ? control::Topology::all : control::Topology::root,
      read_page(context.input, {}));
  json::array components;
  for (const control::InstalledComponent& component : found.items) {
    json::object one{
        {"componentName", component.name},
        {"componentVersion", component.version},
        {"lifecycleState", component.lifecycle_state},
        {"isRoot", component.is_root},
        {"lastStatusChangeTimestamp", base::to_epoch_seconds(component.last_status_change)},
        {"lastReportedTimestamp", base::to_epoch_seconds(component.last_reported)},
        {"lifecycleStatusCodes", to_array(component.status_codes)}};
    put_unless_empty(one, "lifecycleStateDetails", component.details);
    if (!component.installed_by.empty()) {
      one["lastInstallationSource"] = component.installed_by.back();
    }
    components.emplace_back(std::move(one));
  }
  json::object output{{"installedComponents", std::move(components)}};
  put_next(output, found.next);
  return output;
}

}  // namespace

std::vector<Operation> core_device_operations(control::ControlPlane& control) {
  const auto row = std::bind_front(operation_of, std::ref(control));
  return {
      row("GetCoreDevice", "GET", "/greengrass/v2/coreDevices/{coreDeviceThingName}", 200, get),
      row("ListCoreDevices", "GET", "/greengrass/v2/coreDevices", 200, list),
      row("DeleteCoreDevice", "DELETE", "/greengrass/v2/coreDevices/{coreDeviceThingName}", 204,
          remove),
      row("ListEffectiveDeployments", "GET",
          "/greengrass/v2/coreDevices/{coreDeviceThingName}/effectiveDeployments", 200,
          list_effective),
      row("ListInstalledComponents", "GET",
          "/greengrass/v2/coreDevices/{coreDeviceThingName}/installedComponents", 200,
          list_installed),
  };
}

}  // namespace andon::api
