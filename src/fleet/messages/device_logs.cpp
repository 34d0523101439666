// SPDX-License-Identifier: Apache-2.0
#include "fleet/messages/device_logs.hpp"

#include <algorithm>

#include "base/text/ascii.hpp"
#include "base/time/time.hpp"

namespace andon::fleet {
namespace {

constexpr std::size_t kMostName = 128;
constexpr std::int64_t kMostTime = 253'402'300'799'999;  // the year 9999
constexpr std::size_t kDate = 10;                        // 2026-11-30

}  // namespace

json::object to_json(const DeviceLogs& logs) {
  json::array lines;
  lines.reserve(logs.lines.size());
  for (const DeviceLogLine& line : logs.lines) {
    lines.push_back(json::object{{"timestamp", line.time_ms}, {"message", line.text}});
  }
  return {{"component", logs.component}, {"events", std::move(lines)}};
}

DeviceLogs read_device_logs(const json::object& object) {
  const base::JsonReader reader(object, "");
  DeviceLogs logs{reader.string("component"), {}};
  if (!base::is_name_of(logs.component, "-_.") || logs.component.size() > kMostName) {
    reader.fail("component", "must be a component's name");
  }
  const auto events = reader.children("events");
  if (events.size() > kMostLogLines) {
    reader.fail("events", "has more than " + std::to_string(kMostLogLines));
  }
  for (const base::JsonReader& event : events) {
    const auto time = event.optional_integer("timestamp", 0, kMostTime);
    if (!time) event.fail("timestamp", "is missing");
    logs.lines.push_back({*time, event.required_text("message")});
  }
  return logs;
}

std::string log_group_of(std::string_view region, std::string_view component) {
  return "/aws/greengrass/UserComponent/" + std::string(region) + '/' + std::string(component);
}

std::string log_stream_of(std::int64_t time_ms, std::string_view thing) {
  std::string stream = '/' + base::to_iso8601(base::from_epoch_millis(time_ms)).substr(0, kDate) +
                       "/thing/" + std::string(thing);
  std::replace(stream.begin(), stream.begin() + kDate + 1, '-', '/');
  std::ranges::replace(stream, ':', '+');
  return stream;
}

}  // namespace andon::fleet
