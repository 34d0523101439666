// SPDX-License-Identifier: Apache-2.0
// The status messages of a Greengrass core device (fleet status service), on
// $aws/things/<thing>/greengrassv2/health/json. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/time.hpp"

namespace andon::edge {

namespace json = base::json;

enum class HealthTrigger {
  nucleus_launch,
  cadence,
  reconnect,
  component_status_change,
  thing_group_deployment,
  thing_deployment,
};
[[nodiscard]] std::string_view to_string(HealthTrigger trigger);  // "NUCLEUS_LAUNCH"

struct ComponentHealth {
  std::string name;
  std::string version;
  std::string state;  // "RUNNING"
  std::vector<std::string> configuration_arns;
  bool is_root = false;
  std::string status_code;  // of an ERRORED or BROKEN one: "RUN_ERROR"
  std::string reason;
};

struct DeploymentHealth {
  std::string deployment_id;
  std::string configuration_arn;
  std::string status;  // SUCCEEDED, FAILED, REJECTED
  std::string detailed_status;
  std::string failure_cause;
  std::vector<std::string> error_stack;
  std::vector<std::string> error_types;
};

struct HealthReport {
  std::string thing;
  std::string architecture;
  std::int64_t sequence_number = 0;
  base::Timestamp time;
  HealthTrigger trigger = HealthTrigger::cadence;
  bool is_complete = true;  // COMPLETE replaces what the server knows, PARTIAL adds to it
  std::vector<ComponentHealth> components;
  std::optional<DeploymentHealth> deployment;
  bool any_broken = false;  // of all components, also those that the message does not name
};

[[nodiscard]] json::object to_json(const HealthReport& report);
[[nodiscard]] std::string health_topic(std::string_view thing);

}  // namespace andon::edge
