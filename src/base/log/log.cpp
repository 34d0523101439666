// SPDX-License-Identifier: Apache-2.0
#include "base/log/log.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <mutex>

#include "base/error/error.hpp"
#include "base/log/log_listener.hpp"
#include "base/text/escape.hpp"
#include "base/text/number.hpp"
#include "base/text/utf8.hpp"
#include "base/time/time.hpp"

namespace andon::base {
namespace {

constexpr std::array<std::string_view, 4> kLevelNames{"debug", "info", "warning", "error"};

struct Settings {
  std::string program = "andon";
  bool as_json = false;
  LogListener::Told listener = {};
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

// `,"name":"value"`. By hand, as the broker's module logs and must not bring Boost.JSON with it.
void add_member(std::string& line, std::string_view name, std::string_view value) {
  line.append(line.empty() ? "{\"" : ",\"").append(escape_json(name)).append("\":\"");
  line.append(escape_json(to_valid_utf8(value))).append("\"");
}

std::string json_line(const Settings& set, LogLevel level, std::string_view event,
                      std::initializer_list<LogField> fields) {
  std::string line;
  add_member(line, "time", to_iso8601(SystemClock().now()));
  add_member(line, "level", level_name(level));
  add_member(line, "program", set.program);
  add_member(line, "event", event);
  for (const LogField& field : fields) add_member(line, field.name, field.value);
  return line + "}\n";
}

std::string human_line(LogLevel level, std::string_view event,
                       std::initializer_list<LogField> fields) {
  constexpr std::size_t kLevelWidth = 8;
  std::string line = to_iso8601(SystemClock().now()).substr(11, 12) + ' ';
  line.append(level_name(level)).append(kLevelWidth - level_name(level).size(), ' ').append(event);
  for (const LogField& field : fields) {
    line.append("  ").append(field.name).append("=").append(escape_line(field.value));
  }
  return line + '\n';
}

}  // namespace

LogField::LogField(std::string_view field_name, double field_value)
    : name(field_name), value(number_text(field_value)) {}

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
  if (settings().listener) settings().listener(level, event, fields);
}

LogListener::LogListener(Told told) {
  const std::lock_guard lock(g_mutex);
  settings().listener = std::move(told);
}

LogListener::~LogListener() {
  const std::lock_guard lock(g_mutex);
  settings().listener = nullptr;
}

}  // namespace andon::base
