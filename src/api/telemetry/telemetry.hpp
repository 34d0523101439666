// SPDX-License-Identifier: Apache-2.0
// Room: telemetry. How devices do, and what is not as it should be (service "andon"):
// GetDeviceMetrics, ListAlarms. Rows for the operation table. Any thread.
#pragma once

#include <vector>

#include "api/table/operation.hpp"
#include "control/alarms/alarms.hpp"
#include "control/devices/things.hpp"
#include "control/telemetry/device_telemetry.hpp"

namespace andon::api {

// What the parts refer to must outlive the rows.
struct TelemetryParts {
  const control::DeviceTelemetry& telemetry;
  const control::Alarms& alarms;
  const control::Things& things;
  const base::Clock& clock;
};

[[nodiscard]] std::vector<Operation> telemetry_operations(const TelemetryParts& parts);

}  // namespace andon::api
