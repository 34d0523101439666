// SPDX-License-Identifier: Apache-2.0
#include "control/health_message.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/json.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;

constexpr std::size_t kMaxBytes = 256U << 10U;
constexpr std::size_t kMaxText = 1000;
constexpr std::size_t kMaxComponents = 2000;
constexpr std::array<std::string_view, 9> kStates{"NEW",     "INSTALLED", "STARTING",
                                                  "RUNNING", "STOPPING",  "ERRORED",
                                                  "BROKEN",  "FINISHED",  "UNINSTALLED"};

std::string cut(std::string text) {
  if (text.size() <= kMaxText) return text;
  std::size_t end = kMaxText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
  return text;
}

std::string text_or_empty(const JsonReader& reader, std::string_view key) {
  return cut(reader.optional_string(key).value_or(""));
}

std::vector<std::string> read_texts(const JsonReader& reader, std::string_view key) {
  std::vector<std::string> texts;
  const json::array* list = reader.optional_array(key);
  if (list == nullptr) return texts;
  for (const json::value& item : *list) {
    if (!item.is_string()) {
      throw Error(ErrorCode::invalid_argument,
                  reader.where() + "." + std::string(key) + ": must be a list of texts");
    }
    texts.push_back(cut(std::string(item.get_string())));
    if (texts.size() == 100) break;
  }
  return texts;
}

InstalledComponent read_component(const json::value& value, const std::string& where) {
  const JsonReader reader(value, where);
  InstalledComponent component;
  component.name = reader.string("componentName");
  component.version = text_or_empty(reader, "version");
  component.lifecycle_state = reader.string("status");
  if (component.name.empty() || component.name.size() > 128) {
    throw Error(ErrorCode::invalid_argument,
                where + ".componentName: must have 1 to 128 characters");
  }
  if (std::find(kStates.begin(), kStates.end(), component.lifecycle_state) == kStates.end()) {
    throw Error(
        ErrorCode::invalid_argument,
        where + ".status: \"" + cut(component.lifecycle_state) + "\" is not a lifecycle state");
  }
  component.is_root = reader.optional_bool("isRoot").value_or(false);
  component.installed_by = read_texts(reader, "fleetConfigArns");
  if (const json::object* object = reader.optional_object("componentStatusDetails")) {
    const JsonReader details(*object, where + ".componentStatusDetails");
    component.status_codes = read_texts(details, "statusCodes");
    component.details = text_or_empty(details, "statusReason");
  }
  return component;
}

ReportedDeployment read_deployment(const json::object& object) {
  const JsonReader reader(object, "deploymentInformation");
  ReportedDeployment deployment;
  deployment.deployment_id = text_or_empty(reader, "deploymentId");
  if (const json::object* inner = reader.optional_object("statusDetails")) {
    const JsonReader details(*inner, "deploymentInformation.statusDetails");
    deployment.detailed_status = text_or_empty(details, "detailedStatus");
    deployment.failure_cause = text_or_empty(details, "failureCause");
    deployment.error_stack = read_texts(details, "errorStack");
    deployment.error_types = read_texts(details, "errorTypes");
  }
  return deployment;
}

}  // namespace

HealthMessage parse_health_message(std::string_view payload) {
  const json::value value = base::parse_json(payload, "health message", {kMaxBytes, 16});
  const JsonReader reader(value, "health message");
  HealthMessage message;
  message.device.core_version = text_or_empty(reader, "ggcVersion");
  message.device.platform = text_or_empty(reader, "platform");
  message.device.architecture = text_or_empty(reader, "architecture");
  message.device.runtime = text_or_empty(reader, "runtime");
  message.device.status = reader.string("overallDeviceStatus");
  if (message.device.status != "HEALTHY" && message.device.status != "UNHEALTHY") {
    throw Error(ErrorCode::invalid_argument, "overallDeviceStatus: must be HEALTHY or UNHEALTHY");
  }
  message.sequence_number = reader.integer("sequenceNumber");
  message.sent = base::from_epoch_millis(reader.integer("timestamp"));
  const std::string kind = reader.string("messageType");
  if (kind != "COMPLETE" && kind != "PARTIAL") {
    throw Error(ErrorCode::invalid_argument, "messageType: must be COMPLETE or PARTIAL");
  }
  message.kind = kind == "COMPLETE" ? HealthKind::complete : HealthKind::partial;
  message.is_launch = text_or_empty(reader, "trigger") == "NUCLEUS_LAUNCH";
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

}  // namespace andon::control
