// SPDX-License-Identifier: Apache-2.0
// Room: telemetry. Figures of a device (Greengrass' system telemetry), on
// DeviceTopics::telemetry(): how busy its processors are, its memory, its disk, its components, its
// link. The schema is Greengrass', so a device with the classic nucleus says what it has of them;
// what Greengrass has no name for stands in a namespace of andon's. Values; pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"
#include "fleet/messages/limits.hpp"

namespace andon::fleet {

// In the order in which they are stored: new ones come last.
enum class Figure : std::uint8_t {
  cpu_percent,       // of all processors, over the time since the message before
  memory_used,       // MiB
  memory_size,       // MiB
  open_files,        // of the whole device
  disk_free,         // MiB, where the agent has its root
  disk_size,         // MiB
  temperature,       // degrees Celsius, of the hottest zone
  sent,              // bytes a second by all networks but the loopback
  received,          // the same
  agent_memory,      // MiB
  agent_cpu,         // percent of one processor
  spool_bytes,       // of messages that wait
  spool_dropped,     // messages, since the device was set up
  mqtt_connections,  // since the agent's start
  mqtt_losses,       // of connections that were up
  running,           // components in this state
  finished,
  errored,
  broken,
};
inline constexpr std::size_t kFigures = 19;

struct FigureName {
  std::string_view name_space;  // "SystemMetrics"
  std::string_view name;        // "CpuUsage"
  std::string_view unit;        // "Percent"
  std::string_view member;      // as the API has it: "cpuPercent"
};
[[nodiscard]] const FigureName& name_of(Figure figure);

// By Figure; nothing where the device does not know it.
using Figures = std::array<std::optional<double>, kFigures>;
[[nodiscard]] inline std::optional<double>& at(Figures& figures, Figure which) {
  return figures[static_cast<std::size_t>(which)];
}
[[nodiscard]] inline const std::optional<double>& at(const Figures& figures, Figure which) {
  return figures[static_cast<std::size_t>(which)];
}

struct TelemetryPoint {
  base::Timestamp time;  // of the device's clock
  Figures figures{};
};

[[nodiscard]] json::object to_telemetry_message(const TelemetryPoint& point);
// Points of different times in one message stay apart, by time. Names that are not known are left
// out. Throws invalid_argument naming the member that is wrong.
[[nodiscard]] std::vector<TelemetryPoint> parse_telemetry_message(std::string_view payload);

}  // namespace andon::fleet
