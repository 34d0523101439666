// SPDX-License-Identifier: Apache-2.0
#include "edge/health_message.hpp"

#include <array>

#include "edge/version.hpp"

namespace andon::edge {
namespace {

constexpr std::array<std::string_view, 6> kTriggerNames{
    "NUCLEUS_LAUNCH",         "CADENCE",         "RECONNECT", "COMPONENT_STATUS_CHANGE",
    "THING_GROUP_DEPLOYMENT", "THING_DEPLOYMENT"};

json::array to_array(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

json::object component_to_json(const ComponentHealth& component) {
  json::object entry{{"componentName", component.name},
                     {"version", component.version},
                     {"fleetConfigArns", to_array(component.configuration_arns)},
                     {"isRoot", component.is_root},
                     {"status", component.state}};
  if (!component.status_code.empty()) {
    json::array codes;
    codes.emplace_back(component.status_code);
    entry["componentStatusDetails"] =
        json::object{{"statusCodes", std::move(codes)}, {"statusReason", component.reason}};
  }
  return entry;
}

json::object deployment_to_json(const DeploymentHealth& deployment) {
  return {{"status", deployment.status},
          {"fleetConfigurationArnForStatus", deployment.configuration_arn},
          {"deploymentId", deployment.deployment_id},
          {"statusDetails", json::object{{"detailedStatus", deployment.detailed_status},
                                         {"failureCause", deployment.failure_cause},
                                         {"errorStack", to_array(deployment.error_stack)},
                                         {"errorTypes", to_array(deployment.error_types)}}},
          {"unchangedRootComponents", json::array{}}};
}

}  // namespace

std::string_view to_string(HealthTrigger trigger) {
  return kTriggerNames.at(static_cast<std::size_t>(trigger));
}

std::string health_topic(std::string_view thing) {
  return "$aws/things/" + std::string(thing) + "/greengrassv2/health/json";
}

json::object to_json(const HealthReport& report) {
  json::array components;
  for (const ComponentHealth& component : report.components) {
    components.push_back(component_to_json(component));
  }
  json::object message{{"ggcVersion", kCoreVersion},
                       {"platform", "linux"},
                       {"architecture", report.architecture},
                       {"runtime", kRuntime},
                       {"thing", report.thing},
                       {"sequenceNumber", report.sequence_number},
                       {"timestamp", base::to_epoch_millis(report.time)},
                       {"messageType", report.is_complete ? "COMPLETE" : "PARTIAL"},
                       {"trigger", to_string(report.trigger)},
                       {"overallDeviceStatus", report.any_broken ? "UNHEALTHY" : "HEALTHY"},
                       {"components", std::move(components)}};
  if (report.deployment) message["deploymentInformation"] = deployment_to_json(*report.deployment);
  return message;
}

}  // namespace andon::edge
