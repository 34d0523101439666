// SPDX-License-Identifier: Apache-2.0
// Room: logs. The component aws.greengrass.LogManager, which the agent has built in: what
// components write goes to log groups of the server, to buckets, or to topics. This is what its
// configuration says, in the shape of AWS's component. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/fwd.hpp"

namespace andon::edge {

inline constexpr std::string_view kLogManager = "aws.greengrass.LogManager";

enum class LogLevel { debug, info, warn, error };

struct LogRule {
  LogLevel least = LogLevel::info;
  std::uint64_t space_bytes = 0;  // of the component's files that were put aside; 0: no limit
  bool deletes = false;           // files that were put aside, once they are uploaded
  // s3://BUCKET/PREFIX, mqtt:///TOPIC or mqtt[s]://HOST/TOPIC; empty: a log group of the server.
  std::string destination;
  // Files that the component writes by itself, in place of what it writes to standard output: those
  // in the directory whose names have a match. Empty: none.
  std::string directory;
  std::string file_pattern;
  // What the first line of a message has; empty: it does not begin with white space.
  std::string start_pattern;
  bool operator==(const LogRule&) const = default;
};

struct LogSettings {
  std::chrono::seconds interval{300};
  std::map<std::string, LogRule, std::less<>> components;
  bool operator==(const LogSettings&) const = default;
};

struct ReadLogSettings {
  LogSettings settings;
  std::vector<std::string> problems;  // what is left out, and why
};
[[nodiscard]] ReadLogSettings read_log_settings(const base::json::object& configuration);

// Of a line that says it near its beginning, as a word (ERROR, [warn]) or as member "level" of
// JSON.
[[nodiscard]] std::optional<LogLevel> level_of(std::string_view line);

}  // namespace andon::edge
