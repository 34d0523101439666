// SPDX-License-Identifier: Apache-2.0
// A health message of a device ($aws/things/<thing>/greengrassv2/health/json), read with limits.
// Values; pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "control/core_devices.hpp"

namespace andon::control {

struct ReportedDeployment {
  std::string deployment_id;
  std::string detailed_status;
  std::string failure_cause;
  std::vector<std::string> error_stack;
  std::vector<std::string> error_types;
};

enum class HealthKind { complete, partial };

struct HealthMessage {
  CoreDevice device;  // without last_status_update
  std::int64_t sequence_number = 0;
  std::int64_t chunk = 1;  // of a message in several parts
  base::Timestamp sent;    // the device's clock
  HealthKind kind = HealthKind::partial;
  bool is_launch = false;                      // the first one after the device's software started
  std::vector<InstalledComponent> components;  // without times
  std::optional<ReportedDeployment> deployment;
};

// Throws invalid_argument naming the member that is wrong.
[[nodiscard]] HealthMessage parse_health_message(std::string_view payload);

}  // namespace andon::control
