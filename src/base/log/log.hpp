// SPDX-License-Identifier: Apache-2.0
// Structured logging to stderr: readable lines on a terminal, one JSON object a line otherwise.
// Any thread. An event is a sentence and named fields:
//   log_info("artifact fetched", {{"component", name}, {"bytes", size}});
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace andon::base {

enum class LogLevel { debug, info, warning, error };

struct LogField {
  LogField(std::string_view field_name, std::string_view field_value)
      : name(field_name), value(field_value) {}
  LogField(std::string_view field_name, std::string field_value)
      : name(field_name), value(std::move(field_value)) {}
  LogField(std::string_view field_name, const char* field_value)
      : LogField(field_name, std::string_view(field_value)) {}
  LogField(std::string_view field_name, bool field_value)
      : LogField(field_name, std::string_view(field_value ? "true" : "false")) {}
  LogField(std::string_view field_name, double field_value);
  LogField(std::string_view field_name, std::integral auto field_value)
      : name(field_name), value(std::to_string(field_value)) {}

  std::string_view name;
  std::string value;
};

enum class LogFormat { automatic, human, json };

// Call once, first thing in main. Before that, and in tests, events go to stderr as human text at
// level warning. `program` is a field of each JSON line.
void start_logging(std::string_view program, LogLevel level, LogFormat format);
[[nodiscard]] LogLevel parse_log_level(std::string_view name);  // throws invalid_argument

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

inline void log_debug(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::debug, event, fields);
}
inline void log_info(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::info, event, fields);
}
inline void log_warning(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::warning, event, fields);
}
inline void log_error(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::error, event, fields);
}

}  // namespace andon::base
