// SPDX-License-Identifier: Apache-2.0
#include "control/logs/device_logs.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error/error.hpp"

namespace andon::control {
namespace {

void make(const std::function<void()>& creation) {
  try {
    creation();
  } catch (const base::Error& error) {
    if (error.code() != base::ErrorCode::already_exists) throw;
  }
}

void put(Logs& logs, const std::string& group, const std::string& stream,
         const std::vector<LogLine>& lines) {
  try {
    (void)logs.put(group, stream, lines);
    return;
  } catch (const base::Error& error) {
    if (error.code() != base::ErrorCode::not_found) throw;
  }
  make([&] { logs.create_group({.name = group}); });
  make([&] { logs.create_stream(group, stream); });
  (void)logs.put(group, stream, lines);
}

}  // namespace

void put_device_logs(Logs& logs, std::string_view region, std::string_view thing,
                     const fleet::DeviceLogs& device_logs) {
  std::map<std::string, std::vector<LogLine>> by_stream;
  for (const fleet::DeviceLogLine& line : device_logs.lines) {
    by_stream[fleet::log_stream_of(line.time_ms, thing)].push_back(
        {base::from_epoch_millis(line.time_ms), line.text});
  }
  const std::string group = fleet::log_group_of(region, device_logs.component);
  for (auto& [stream, lines] : by_stream) {
    std::ranges::stable_sort(lines, {}, &LogLine::time);
    put(logs, group, stream, lines);
  }
}

}  // namespace andon::control
