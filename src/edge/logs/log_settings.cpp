// SPDX-License-Identifier: Apache-2.0
#include "edge/logs/log_settings.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/json/problem_texts.hpp"
#include "base/text/ascii.hpp"
#include "base/text/s3_uri.hpp"
#include "edge/streams/exports/mqtt_export.hpp"
#include "query/regex/regex.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;

constexpr std::int64_t kMostInterval = 86'400;
constexpr std::int64_t kMostSpace = std::int64_t{1} << 40;
constexpr std::size_t kMostComponents = 200;
constexpr std::size_t kMostName = 128;
constexpr std::size_t kMostPath = 1024;
// Behind a time, a name and the like.
constexpr std::size_t kLevelWithin = 80;

constexpr std::array<std::pair<std::string_view, LogLevel>, 8> kLevels = {{
    {"TRACE", LogLevel::debug},
    {"DEBUG", LogLevel::debug},
    {"INFO", LogLevel::info},
    {"WARN", LogLevel::warn},
    {"WARNING", LogLevel::warn},
    {"ERROR", LogLevel::error},
    {"FATAL", LogLevel::error},
    {"CRITICAL", LogLevel::error},
}};
constexpr std::array<std::pair<std::string_view, std::uint64_t>, 3> kUnits = {
    {{"KB", 1U << 10U}, {"MB", 1U << 20U}, {"GB", 1U << 30U}}};

bool is_component_name(std::string_view name) {
  return base::is_name_of(name, "-_.") && name.size() <= kMostName && name != "." && name != "..";
}

// Why lines cannot go there; empty: they can.
std::string problem_of_destination(const std::string& uri) {
  if (uri.starts_with(base::kS3Scheme)) {
    const auto place = base::parse_s3_uri(uri);
    return place && base::is_name_of(place->bucket, "-.") ? ""
                                                          : "names no bucket: s3://BUCKET/PREFIX";
  }
  if (uri.starts_with("mqtt://") || uri.starts_with("mqtts://")) {
    try {
      const MqttAddress address = read_mqtt_address(uri);
      return address.topic.starts_with('$') ? "is a topic of the broker's own" : "";
    } catch (const StreamError& error) {
      return error.message();
    }
  }
  return "must be s3://BUCKET/PREFIX, mqtt:///TOPIC or mqtt://HOST/TOPIC";
}

// Of a regular expression that can be one; empty where there is none.
std::string read_pattern(const base::JsonReader& reader, std::string_view key) {
  std::string pattern = reader.optional_string(key).value_or("");
  if (pattern.empty()) return pattern;
  try {
    const query::Regex compiled(pattern, {});
  } catch (const base::Error& error) {
    reader.problem(key, "is no regular expression: " + error.message());
    pattern.clear();
  }
  return pattern;
}

// As AWS's component has it where nobody says otherwise: the component's name, and more letters.
std::string default_file_pattern(std::string_view component) {
  std::string pattern = "^";
  for (const char letter : component) {
    pattern += letter == '.' ? std::string("\\.") : std::string(1, letter);
  }
  return pattern + "\\w*\\.log";
}

void read_files(const base::JsonReader& reader, std::string_view component, LogRule& rule) {
  const std::string directory = reader.optional_string("logFileDirectoryPath").value_or("");
  rule.file_pattern = read_pattern(reader, "logFileRegex");
  if (directory.empty()) {
    if (!rule.file_pattern.empty()) {
      reader.problem("logFileRegex",
                     "has no logFileDirectoryPath beside it: what the component writes to standard "
                     "output is uploaded");
    }
    rule.file_pattern.clear();
    return;
  }
  if (!directory.starts_with('/') || directory.size() > kMostPath) {
    reader.problem("logFileDirectoryPath", "must be an absolute path");
    rule.file_pattern.clear();
    return;
  }
  rule.directory = directory;
  if (rule.file_pattern.empty()) rule.file_pattern = default_file_pattern(component);
}

LogRule read_rule(const base::JsonReader& reader, std::string_view component) {
  LogRule rule;
  reader.allow_only({"componentName", "minimumLogLevel", "diskSpaceLimit", "diskSpaceLimitUnit",
                     "deleteLogFileAfterCloudUpload", "andonDestination", "logFileDirectoryPath",
                     "logFileRegex", "multiLineStartPattern"});
  read_files(reader, component, rule);
  rule.start_pattern = read_pattern(reader, "multiLineStartPattern");
  rule.least = reader.choice("minimumLogLevel", kLevels).value_or(LogLevel::info);
  const std::uint64_t unit = reader.choice("diskSpaceLimitUnit", kUnits).value_or(kUnits[0].second);
  const auto limit =
      reader.optional_integer("diskSpaceLimit", 0, kMostSpace / static_cast<std::int64_t>(unit));
  rule.space_bytes = static_cast<std::uint64_t>(limit.value_or(0)) * unit;
  rule.deletes = reader.optional_bool("deleteLogFileAfterCloudUpload").value_or(false);
  rule.destination = reader.optional_string("andonDestination").value_or("");
  return rule;
}

}  // namespace

ReadLogSettings read_log_settings(const json::object& configuration) {
  ReadLogSettings read;
  std::vector<base::JsonProblem> problems;
  const base::JsonReading reading{
      .texts = base::JsonReading::Texts::as_values, .empty_is_absent = true, .problems = &problems};
  const base::JsonReader reader(configuration, "", reading);
  const auto interval = reader.optional_integer("periodicUploadIntervalSec", 1, kMostInterval);
  if (interval) read.settings.interval = std::chrono::seconds(*interval);
  const base::JsonReader uploader = reader.child_or_empty("logsUploaderConfiguration");
  uploader.allow_only(
      {"componentLogsConfigurationMap", "componentLogsConfiguration", "systemLogsConfiguration"});
  if (uploader.has("systemLogsConfiguration")) {
    uploader.problem("systemLogsConfiguration",
                     "is not acted on: the agent writes to the journal of the system");
  }
  const auto add = [&](const std::string& name, const base::JsonReader& rule) {
    if (!is_component_name(name) || read.settings.components.size() == kMostComponents) {
      return rule.problem(
          "", "is no component's name, or one more than " + std::to_string(kMostComponents));
    }
    LogRule wanted = read_rule(rule, name);
    // Lines that shall go elsewhere do not go to a log group instead.
    const std::string problem =
        wanted.destination.empty() ? "" : problem_of_destination(wanted.destination);
    if (!problem.empty()) {
      return rule.problem("andonDestination", problem + "; its lines stay on the device");
    }
    read.settings.components.insert_or_assign(name, std::move(wanted));
  };
  for (const base::JsonReader& rule : uploader.children("componentLogsConfiguration")) {
    add(rule.string("componentName"), rule);
  }
  const base::JsonReader by_name = uploader.child_or_empty("componentLogsConfigurationMap");
  for (const auto& member : by_name.object()) {
    add(std::string(member.key()), by_name.child(member.key()));
  }
  read.problems = base::problem_texts(problems);
  return read;
}

std::optional<LogLevel> level_of(std::string_view line) {
  line = line.substr(0, kLevelWithin);
  for (std::size_t begin = 0; begin < line.size();) {
    if (!base::is_letter_or_digit(line[begin])) {
      ++begin;
      continue;
    }
    std::size_t end = begin;
    while (end < line.size() && base::is_letter_or_digit(line[end])) ++end;
    const std::string_view word = line.substr(begin, end - begin);
    // In the middle of a sentence small letters mean nothing.
    const bool stands_alone = begin > 0 && (line[begin - 1] == '[' || line[begin - 1] == '"');
    for (const auto& [name, level] : kLevels) {
      const bool fits = stands_alone ? base::equal_ignoring_case(word, name) : word == name;
      if (fits) return level;
    }
    begin = end;
  }
  return std::nullopt;
}

}  // namespace andon::edge
