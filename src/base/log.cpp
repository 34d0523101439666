// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <mutex>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/time.hpp"

namespace andon::base {
namespace {

constexpr std::array<std::string_view, 4> kLevelNames{"debug", "info", "warning", "error"};

struct Settings {
  std::string program = "andon";
  bool as_json = false;
};

// The one piece of process-wide state: the logger is reached from everywhere and set once.
std::atomic<LogLevel> g_level{LogLevel::warning};
std::mutex g_mutex;
Settings& settings() {
  static Settings instance;
  return instance;
}

std::string_view level_name(LogLevel level) {
  return kLevelNames.at(static_cast<std::size_t>(level));
}

std::string json_line(const Settings& set, LogLevel level, std::string_view event,
                      std::initializer_list<LogField> fields) {
  json::object line;
  line["time"] = to_iso8601(SystemClock().now());
  line["level"] = level_name(level);
  line["program"] = set.program;
  line["event"] = event;
  for (const LogField& field : fields) line[field.name] = field.value;
  return to_text(line) + '\n';
}

std::string human_line(LogLevel level, std::string_view event,
                       std::initializer_list<LogField> fields) {
  std::string line = fmt::format("{} {:<7} {}", to_iso8601(SystemClock().now()).substr(11, 12),
                                 level_name(level), event);
  for (const LogField& field : fields) line += fmt::format("  {}={}", field.name, field.value);
  return line + '\n';
}

}  // namespace

void start_logging(std::string_view program, LogLevel level, LogFormat format) {
  const std::lock_guard lock(g_mutex);
  settings().program = program;
  settings().as_json =
      format == LogFormat::json || (format == LogFormat::automatic && isatty(STDERR_FILENO) == 0);
  g_level = level;
}

LogLevel parse_log_level(std::string_view name) {
  for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames.at(i) == name) return static_cast<LogLevel>(i);
  }
  throw Error(ErrorCode::invalid_argument,
              "'" + std::string(name) + "' is not a log level: debug, info, warning or error");
}

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (level < g_level) return;
  const std::lock_guard lock(g_mutex);
  const std::string line = settings().as_json ? json_line(settings(), level, event, fields)
                                              : human_line(level, event, fields);
  // One write a line, so that lines of several processes on one terminal stay whole.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace andon::base
