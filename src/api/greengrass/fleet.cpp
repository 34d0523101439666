// SPDX-License-Identifier: Apache-2.0
#include "api/greengrass/fleet.hpp"

#include <functional>
#include <utility>

#include "api/constraints/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "control/index/deployment_progress.hpp"
#include "control/index/fleet_state.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr PageLimits kStates{.standard = 100, .maximum = control::FleetState::kMost};
constexpr PageLimits kDevices{.standard = 100, .maximum = 1000};
constexpr std::size_t kMostName = 128;

json::object described(const control::ThingState& state, const control::Arns& arns) {
  json::object told{{"thing", state.thing},
                    {"thingArn", arns.thing(state.thing)},
                    {"state", to_string(state.presence)}};
  if (!state.attributes.empty()) told["attributes"] = to_object(state.attributes);
  if (state.last_seen) told["lastSeen"] = base::to_iso8601(*state.last_seen);
  if (state.connectivity) {
    told["connected"] = state.connectivity->is_connected;
    told["connectionChanged"] = base::to_iso8601(state.connectivity->changed);
    put_unless_empty(told, "disconnectReason", state.connectivity->reason);
  }
  if (state.core) {
    told["status"] = state.core->status;
    told["reported"] = base::to_iso8601(state.core->last_status_update);
    told["coreVersion"] = state.core->core_version;
    put_unless_empty(told, "platform", state.core->platform);
    put_unless_empty(told, "architecture", state.core->architecture);
  }
  json::array deployments;
  for (const control::StandingDeployment& one : state.deployments) {
    deployments.push_back(json::object{{"deploymentId", one.id},
                                       {"deploymentName", one.name},
                                       {"targetArn", one.target_arn},
                                       {"status", to_string(one.status)}});
  }
  told["deployments"] = std::move(deployments);
  json::array outdated;
  for (const control::OutdatedComponent& one : state.outdated) {
    json::object component{{"componentName", one.name},
                           {"wantedVersion", one.wanted},
                           {"deploymentId", one.deployment_id}};
    put_unless_empty(component, "installedVersion", one.installed);
    outdated.push_back(std::move(component));
  }
  told["outdated"] = std::move(outdated);
  if (!state.component_version.empty()) {
    told["component"] = {{"componentVersion", state.component_version},
                         {"lifecycleState", state.component_state}};
  }
  return told;
}

json::value list_states(const control::FleetState& fleet, const fleet::Arns& arns,
                        const OperationContext& context) {
  const control::ThingStateFilter filter{
      .group = bounded_text(context.input, "thingGroupName", kMostName),
      .component = bounded_text(context.input, "componentName", kMostName),
      .component_version = bounded_text(context.input, "componentVersion", kMostName)};
  if (filter.component.empty() && !filter.component_version.empty()) {
    throw Error(ErrorCode::invalid_argument, "componentVersion: needs a componentName");
  }
  const auto found = fleet.list(filter, read_page(context.input, kStates));
  json::array devices;
  for (const control::ThingState& one : found.items) {
    devices.push_back(described(one, arns));
  }
  json::object output{{"devices", std::move(devices)}};
  put_next(output, found.next);
  return output;
}

json::object described(const fleet::DeploymentProgress& progress) {
  json::object told{{"step", progress.step}};
  put_unless_empty(told, "component", progress.component);
  put_unless_empty(told, "reason", progress.reason);
  if (progress.of_bytes > 0) {
    told["bytes"] = progress.bytes;
    told["ofBytes"] = progress.of_bytes;
  }
  return told;
}

json::value list_devices(store::Database& database, const OperationContext& context) {
  const std::string id = required_text(context.input, "deploymentId");
  const bool is_there = database.read([&](store::Transaction& tx) {
    return tx.query_one("SELECT 1 FROM deployments WHERE id = $1", {id}).has_value();
  });
  if (!is_there) {
    throw Error(ErrorCode::not_found, "there is no deployment \"" + id.substr(0, kMostName) + "\"");
  }
  const std::string wanted = word_or_empty(
      context.input, "status",
      {"QUEUED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT", "CANCELED"});
  const control::ProgressFilter filter{
      .status = fleet::parse_job_status(wanted),
      .thing = bounded_text(context.input, "thingName", kMostName)};
  const auto found = control::progress_of(database, id, filter, read_page(context.input, kDevices));
  json::array devices;
  for (const control::DeviceProgress& one : found.items) {
    json::object device{{"thing", one.thing},
                        {"status", to_string(one.status)},
                        {"modified", base::to_iso8601(one.modified)}};
    put_unless_empty(device, "reason", one.reason);
    if (!one.progress.step.empty()) device["progress"] = described(one.progress);
    if (!one.error_stack.empty()) device["errorStack"] = to_array(one.error_stack);
    if (!one.error_types.empty()) device["errorTypes"] = to_array(one.error_types);
    devices.push_back(std::move(device));
  }
  json::object counts;
  for (const auto& [of, count] : control::progress_tally(database, id))
    counts[to_string(of)] = count;
  json::object output{{"devices", std::move(devices)}, {"counts", std::move(counts)}};
  put_next(output, found.next);
  return output;
}

}  // namespace

std::vector<Operation> fleet_operations(store::Database& database, const base::Clock& clock,
                                        const fleet::Arns& arns) {
  const control::FleetState fleet(database, clock, arns);
  return {own_row("ListDeviceStates", "GET", "/andon/v1/device-states", fleet,
                  [arns](const control::FleetState& of, const OperationContext& context) {
                    return list_states(of, arns, context);
                  }),
          own_row("ListDeploymentDevices", "GET", "/andon/v1/deployments/{deploymentId}/devices",
                  std::ref(database), list_devices)};
}

}  // namespace andon::api
