// SPDX-License-Identifier: Apache-2.0
#include "fleet/messages/health_message.hpp"

#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"

namespace andon::fleet {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;

constexpr std::size_t kMaxText = 1000;
constexpr std::size_t kMaxComponents = 2000;

constexpr std::array<std::string_view, 9> kStates{"NEW",     "INSTALLED", "STARTING",
                                                  "RUNNING", "STOPPING",  "ERRORED",
                                                  "BROKEN",  "FINISHED",  "UNINSTALLED"};
constexpr std::array<std::string_view, 7> kTriggers{
    "NUCLEUS_LAUNCH",         "CADENCE",          "RECONNECT",       "COMPONENT_STATUS_CHANGE",
    "THING_GROUP_DEPLOYMENT", "THING_DEPLOYMENT", "LOCAL_DEPLOYMENT"};
constexpr std::array<std::string_view, 2> kHealths{"HEALTHY", "UNHEALTHY"};
constexpr std::array<std::string_view, 2> kScopes{"COMPLETE", "PARTIAL"};

// The names stand in the order of the enum.
template <typename Enum, std::size_t count>
std::string_view name_of(const std::array<std::string_view, count>& names, Enum value) {
  return names.at(static_cast<std::size_t>(value));
}

template <typename Enum, std::size_t count>
std::optional<Enum> value_of(const std::array<std::string_view, count>& names,
                             std::string_view text) {
  for (std::size_t i = 0; i < count; ++i) {
    if (names[i] == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

json::object to_json(const ComponentHealth& component) {
  json::object entry{{"componentName", component.name},
                     {"version", component.version},
                     {"fleetConfigArns", to_array(component.configuration_arns)},
                     {"isRoot", component.is_root},
                     {"status", to_string(component.state)}};
  if (!component.status_codes.empty() || !component.reason.empty()) {
    entry["componentStatusDetails"] = {{"statusCodes", to_array(component.status_codes)},
                                       {"statusReason", component.reason}};
  }
  return entry;
}

json::object to_json(const DeploymentHealth& deployment) {
  return {{"status", to_string(deployment.outcome.status)},
          {"fleetConfigurationArnForStatus", deployment.configuration_arn},
          {"deploymentId", deployment.deployment_id},
          {"statusDetails", to_json(deployment.outcome.details)},
          {"unchangedRootComponents", json::array{}}};
}

std::string text_or_empty(const JsonReader& reader, std::string_view key) {
  return cut_text(reader.optional_string(key).value_or(""), kMaxText);
}

ComponentHealth read_component(const json::value& value, const std::string& where) {
  const JsonReader reader(value, where);
  ComponentHealth component;
  component.name = reader.string("componentName");
  component.version = text_or_empty(reader, "version");
  if (component.name.empty() || component.name.size() > 128) {
    throw Error(ErrorCode::invalid_argument,
                where + ".componentName: must have 1 to 128 characters");
  }
  const std::string status = reader.string("status");
  const auto state = parse_component_state(status);
  if (!state) {
    throw Error(ErrorCode::invalid_argument,
                where + ".status: \"" + cut_text(status, kMaxText) + "\" is not a lifecycle state");
  }
  component.state = *state;
  component.is_root = reader.optional_bool("isRoot").value_or(false);
  component.configuration_arns = read_texts(reader, "fleetConfigArns", kMaxText);
  if (const json::object* object = reader.optional_object("componentStatusDetails")) {
    const JsonReader details(*object, where + ".componentStatusDetails");
    component.status_codes = read_texts(details, "statusCodes", kMaxText);
    component.reason = text_or_empty(details, "statusReason");
  }
  return component;
}

DeploymentHealth read_deployment(const json::object& object) {
  const JsonReader reader(object, "deploymentInformation");
  DeploymentHealth deployment;
  deployment.deployment_id = text_or_empty(reader, "deploymentId");
  deployment.configuration_arn = text_or_empty(reader, "fleetConfigurationArnForStatus");
  // Only its details are used of one with another word.
  deployment.outcome.status =
      parse_job_status(text_or_empty(reader, "status")).value_or(JobStatus::in_progress);
  if (const json::object* inner = reader.optional_object("statusDetails")) {
    deployment.outcome.details =
        read_deployment_details(JsonReader(*inner, "deploymentInformation.statusDetails"));
  }
  return deployment;
}

}  // namespace

std::string_view to_string(ComponentState state) {
  return name_of(kStates, state);
}
std::optional<ComponentState> parse_component_state(std::string_view text) {
  return value_of<ComponentState>(kStates, text);
}
std::string_view to_string(HealthTrigger trigger) {
  return name_of(kTriggers, trigger);
}
std::optional<HealthTrigger> parse_health_trigger(std::string_view text) {
  return value_of<HealthTrigger>(kTriggers, text);
}
std::string_view to_string(DeviceHealth health) {
  return name_of(kHealths, health);
}

json::object to_json(const HealthMessage& message) {
  json::array components;
  for (const ComponentHealth& component : message.components) {
    components.push_back(to_json(component));
  }
  json::object object{{"ggcVersion", message.core_version},
                      {"platform", message.platform},
                      {"architecture", message.architecture},
                      {"runtime", message.runtime},
                      {"thing", message.thing},
                      {"sequenceNumber", message.sequence_number},
                      {"timestamp", base::to_epoch_millis(message.sent)},
                      {"messageType", name_of(kScopes, message.scope)}};
  if (message.trigger) object["trigger"] = to_string(*message.trigger);
  object["overallDeviceStatus"] = to_string(message.health);
  if (message.chunk != 1) object["chunkInfo"] = {{"chunkId", message.chunk}};
  object["components"] = std::move(components);
  if (message.deployment) object["deploymentInformation"] = to_json(*message.deployment);
  return object;
}

HealthMessage parse_health_message(std::string_view payload) {
  const json::value value = base::parse_json(payload, "health message", kFromDevice);
  const JsonReader reader(value, "health message");
  HealthMessage message;
  message.core_version = text_or_empty(reader, "ggcVersion");
  message.platform = text_or_empty(reader, "platform");
  message.architecture = text_or_empty(reader, "architecture");
  message.runtime = text_or_empty(reader, "runtime");
  message.thing = text_or_empty(reader, "thing");
  const auto health = value_of<DeviceHealth>(kHealths, reader.string("overallDeviceStatus"));
  if (!health) {
    throw Error(ErrorCode::invalid_argument, "overallDeviceStatus: must be HEALTHY or UNHEALTHY");
  }
  message.health = *health;
  message.sequence_number = reader.integer("sequenceNumber");
  message.sent = base::from_epoch_millis(reader.integer("timestamp"));
  const auto scope = value_of<HealthScope>(kScopes, reader.string("messageType"));
  if (!scope) {
    throw Error(ErrorCode::invalid_argument, "messageType: must be COMPLETE or PARTIAL");
  }
  message.scope = *scope;
  message.trigger = parse_health_trigger(text_or_empty(reader, "trigger"));
  if (const json::object* chunk = reader.optional_object("chunkInfo")) {
    message.chunk = JsonReader(*chunk, "chunkInfo").integer("chunkId");
  }
  if (const json::array* components = reader.optional_array("components")) {
    if (components->size() > kMaxComponents) {
      throw Error(ErrorCode::invalid_argument, "components: more than 2000");
    }
    for (std::size_t i = 0; i < components->size(); ++i) {
      message.components.push_back(
          read_component((*components)[i], "components[" + std::to_string(i) + "]"));
    }
  }
  if (const json::object* deployment = reader.optional_object("deploymentInformation")) {
    message.deployment = read_deployment(*deployment);
  }
  return message;
}

}  // namespace andon::fleet
