// SPDX-License-Identifier: Apache-2.0
// Lines that a component has written, on their way from its device to a log group of the server:
// the body of a POST to the data plane, ours. The group and the stream follow from what they are
// of, as AWS's LogManager names them; a device cannot write to others. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/messages/limits.hpp"

namespace andon::fleet {

inline constexpr std::string_view kDeviceLogsPath = "/andon/v1/logs";
// Of one message; the data plane takes 256 KiB.
inline constexpr std::size_t kMostLogLines = 2'000;

struct DeviceLogLine {
  std::int64_t time_ms = 0;  // since 1970
  std::string text;
};
struct DeviceLogs {
  std::string component;
  std::vector<DeviceLogLine> lines;
};
[[nodiscard]] json::object to_json(const DeviceLogs& logs);
// Throws invalid_argument naming the member that is wrong.
[[nodiscard]] DeviceLogs read_device_logs(const json::object& object);

// /aws/greengrass/UserComponent/us-east-1/com.example.App
[[nodiscard]] std::string log_group_of(std::string_view region, std::string_view component);
// /2026/11/30/thing/edge-1, of a UTC day; ':' of a thing's name is '+', as streams have none.
[[nodiscard]] std::string log_stream_of(std::int64_t time_ms, std::string_view thing);

}  // namespace andon::fleet
