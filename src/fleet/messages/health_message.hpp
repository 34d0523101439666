// SPDX-License-Identifier: Apache-2.0
// The status message of a Greengrass core device (fleet status service), on DeviceTopics::health():
// what it is, what it runs and how that does. Values; pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"
#include "fleet/messages/deployment_outcome.hpp"

namespace andon::fleet {

enum class ComponentState {
  created,    // NEW: not installed
  installed,  // INSTALLED: may start when its dependencies are up
  starting,
  running,
  stopping,
  errored,      // will be tried again
  broken,       // given up until the next deployment or start of the device's software
  finished,     // its run ended with 0, or it has nothing to run
  uninstalled,  // said once, when it is gone
};
[[nodiscard]] std::string_view to_string(ComponentState state);  // "NEW", "RUNNING"
[[nodiscard]] std::optional<ComponentState> parse_component_state(std::string_view text);

enum class HealthTrigger {
  nucleus_launch,
  cadence,
  reconnect,
  component_status_change,
  thing_group_deployment,
  thing_deployment,
  local_deployment,
};
[[nodiscard]] std::string_view to_string(HealthTrigger trigger);  // "NUCLEUS_LAUNCH"
[[nodiscard]] std::optional<HealthTrigger> parse_health_trigger(std::string_view text);

enum class DeviceHealth { healthy, unhealthy };
[[nodiscard]] std::string_view to_string(DeviceHealth health);  // "HEALTHY"

struct ComponentHealth {
  std::string name;
  std::string version;
  ComponentState state = ComponentState::created;
  std::vector<std::string> configuration_arns;
  bool is_root = false;
  std::vector<std::string> status_codes;  // of an ERRORED or BROKEN one: "RUN_ERROR"
  std::string reason;
};

struct DeploymentHealth {
  std::string deployment_id;
  std::string configuration_arn;
  DeploymentOutcome outcome;
  bool is_local = false;  // begun at the device; only the message's trigger tells
};

// COMPLETE replaces what the server knows, PARTIAL adds to it.
enum class HealthScope { complete, partial };

struct HealthMessage {
  std::string core_version;
  std::string platform;
  std::string architecture;
  std::string runtime;
  std::string thing;
  std::int64_t sequence_number = 0;
  std::int64_t chunk = 1;  // of a message in several parts
  base::Timestamp sent;    // the device's clock
  HealthScope scope = HealthScope::partial;
  std::optional<HealthTrigger> trigger;  // nothing for one that is not known
  DeviceHealth health = DeviceHealth::healthy;
  std::vector<ComponentHealth> components;
  std::optional<DeploymentHealth> deployment;
};

[[nodiscard]] json::object to_json(const HealthMessage& message);
// Takes what classic devices and the nucleus lite send. Texts are cut; throws invalid_argument
// naming the member that is wrong.
[[nodiscard]] HealthMessage parse_health_message(std::string_view payload);

}  // namespace andon::fleet
