// SPDX-License-Identifier: Apache-2.0
// The operations of AWS IoT Greengrass V2 about client devices, where core devices are reached, and
// the account's service role.
#include <functional>
#include <utility>

#include "api/greengrass/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

std::vector<std::string> read_entries(const json::object& input) {
  std::vector<std::string> things;
  for (const base::JsonReader& entry : base::JsonReader(input, "").children("entries")) {
    things.push_back(entry.required_text("thingName"));
  }
  return things;
}

json::object show_problems(const std::vector<control::AssociationProblem>& problems) {
  json::array entries;
  for (const control::AssociationProblem& problem : problems) {
    entries.push_back(json::object{
        {"thingName", problem.thing}, {"code", problem.code}, {"message", problem.message}});
  }
  return {{"errorEntries", std::move(entries)}};
}

json::value associate(control::ControlPlane& control, const OperationContext& context) {
  return show_problems(control.client_devices.associate(
      required_text(context.input, "coreDeviceThingName"), read_entries(context.input)));
}

json::value disassociate(control::ControlPlane& control, const OperationContext& context) {
  return show_problems(control.client_devices.disassociate(
      required_text(context.input, "coreDeviceThingName"), read_entries(context.input)));
}

json::value list(const control::ControlPlane& control, const OperationContext& context) {
  const auto found = control.client_devices.list(
      required_text(context.input, "coreDeviceThingName"), read_page(context.input, {}));
  json::array devices;
  for (const control::ClientDevice& device : found.items) {
    devices.push_back(json::object{{"thingName", device.thing},
                                   {"associationTimestamp", base::to_epoch_seconds(device.since)}});
  }
  json::object output{{"associatedClientDevices", std::move(devices)}};
  put_next(output, found.next);
  return output;
}

json::value get_connectivity(const control::ControlPlane& control,
                             const OperationContext& context) {
  return show_endpoints(
      control.client_devices.endpoints(required_text(context.input, "thingName")));
}

json::value update_connectivity(control::ControlPlane& control, const OperationContext& context) {
  const auto version = control.client_devices.set_endpoints(
      required_text(context.input, "thingName"), read_endpoints(context.input));
  return json::object{{"Version", std::to_string(version)}};
}

json::value get_role(const control::ControlPlane& control, const OperationContext& /*context*/) {
  const auto role = control.client_devices.service_role();
  if (!role) {
    throw Error(ErrorCode::not_found,
                "the account has no service role; give it one with AssociateServiceRoleToAccount");
  }
  return json::object{{"AssociatedAt", base::to_iso8601(role->since)}, {"RoleArn", role->arn}};
}

json::value associate_role(control::ControlPlane& control, const OperationContext& context) {
  const std::string arn = required_text(context.input, "RoleArn");
  const bool is_role = arn.starts_with("arn:") && arn.find(":iam::") != std::string::npos &&
                       arn.find(":role/") != std::string::npos && arn.size() <= 2048;
  if (!is_role) {
    throw Error(ErrorCode::invalid_argument, "RoleArn: must be the ARN of a role");
  }
  return json::object{
      {"AssociatedAt", base::to_iso8601(control.client_devices.set_service_role(arn))}};
}

json::value disassociate_role(control::ControlPlane& control, const OperationContext& /*context*/) {
  return json::object{
      {"DisassociatedAt", base::to_iso8601(control.client_devices.remove_service_role())}};
}

}  // namespace

std::vector<control::CoreEndpoint> read_endpoints(const json::object& input) {
  std::vector<control::CoreEndpoint> endpoints;
  const base::JsonReader reader(input, "");
  if (!reader.has("ConnectivityInfo")) {
    throw Error(ErrorCode::invalid_argument, "ConnectivityInfo: is missing");
  }
  for (const base::JsonReader& one : reader.children("ConnectivityInfo")) {
    endpoints.push_back({one.optional_string("Id").value_or(""),
                         one.optional_string("HostAddress").value_or(""),
                         one.optional_integer("PortNumber").value_or(0),
                         one.optional_string("Metadata").value_or("")});
  }
  return endpoints;
}

json::object show_endpoints(const std::vector<control::CoreEndpoint>& endpoints) {
  json::array all;
  for (const control::CoreEndpoint& one : endpoints) {
    all.push_back(json::object{{"Id", one.id},
                               {"HostAddress", one.host},
                               {"PortNumber", one.port},
                               {"Metadata", one.metadata}});
  }
  return {{"ConnectivityInfo", std::move(all)}};
}

std::vector<Operation> client_device_operations(control::ControlPlane& control) {
  const auto row = std::bind_front(operation_of, std::ref(control));
  return {
      row("BatchAssociateClientDeviceWithCoreDevice", "POST",
          "/greengrass/v2/coreDevices/{coreDeviceThingName}/associateClientDevices", 200,
          associate),
      row("BatchDisassociateClientDeviceFromCoreDevice", "POST",
          "/greengrass/v2/coreDevices/{coreDeviceThingName}/disassociateClientDevices", 200,
          disassociate),
      row("ListClientDevicesAssociatedWithCoreDevice", "GET",
          "/greengrass/v2/coreDevices/{coreDeviceThingName}/associatedClientDevices", 200, list),
      row("GetConnectivityInfo", "GET", "/greengrass/things/{thingName}/connectivityInfo", 200,
          get_connectivity),
      row("UpdateConnectivityInfo", "PUT", "/greengrass/things/{thingName}/connectivityInfo", 200,
          update_connectivity),
      row("AssociateServiceRoleToAccount", "PUT", "/greengrass/servicerole", 200, associate_role),
      row("GetServiceRoleForAccount", "GET", "/greengrass/servicerole", 200, get_role),
      row("DisassociateServiceRoleFromAccount", "DELETE", "/greengrass/servicerole", 200,
          disassociate_role),
  };
}

}  // namespace andon::api
