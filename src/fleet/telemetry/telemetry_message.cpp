// SPDX-License-Identifier: Apache-2.0
#include "fleet/telemetry/telemetry_message.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"

namespace andon::fleet {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;

constexpr std::string_view kSystem = "SystemMetrics";
constexpr std::string_view kComponents = "GreengrassComponents";
constexpr std::string_view kOwn = "Andon";
constexpr std::string_view kSchema = "2022-06-30";
constexpr double kRoundsTo = 100;  // a hundredth is fine enough for all of them

constexpr std::array<FigureName, kFigures> kNames{{
    {kSystem, "CpuUsage", "Percent", "cpuPercent"},
    {kSystem, "SystemMemUsage", "Megabytes", "memoryUsedMiB"},
    {kOwn, "MemorySize", "Megabytes", "memorySizeMiB"},
    {kSystem, "TotalNumberOfFDs", "Count", "openFiles"},
    {kOwn, "DiskFree", "Megabytes", "diskFreeMiB"},
    {kOwn, "DiskSize", "Megabytes", "diskSizeMiB"},
    {kOwn, "Temperature", "Celsius", "temperatureCelsius"},
    {kOwn, "Sent", "Bytes/Second", "sentBytesPerSecond"},
    {kOwn, "Received", "Bytes/Second", "receivedBytesPerSecond"},
    {kOwn, "AgentMemory", "Megabytes", "agentMemoryMiB"},
    {kOwn, "AgentCpu", "Percent", "agentCpuPercent"},
    {kOwn, "Spool", "Bytes", "spoolBytes"},
    {kOwn, "SpoolDropped", "Count", "spoolDropped"},
    {kOwn, "MqttConnections", "Count", "mqttConnections"},
    {kOwn, "MqttLosses", "Count", "mqttLosses"},
    {kComponents, "NumberOfComponentsRunning", "Count", "componentsRunning"},
    {kComponents, "NumberOfComponentsFinished", "Count", "componentsFinished"},
    {kComponents, "NumberOfComponentsErrored", "Count", "componentsErrored"},
    {kComponents, "NumberOfComponentsBroken", "Count", "componentsBroken"},
}};

// How Greengrass gathers a figure over an interval; one of them has it.
constexpr std::array<std::string_view, 5> kGathered{"Average", "Sum", "Maximum", "Minimum",
                                                    "Count"};

// A whole number is written as one: shorter.
json::value shortest(double value) {
  const double rounded = std::round(value * kRoundsTo) / kRoundsTo;
  constexpr double kExact = 1e15;
  if (rounded == std::floor(rounded) && std::abs(rounded) < kExact) {
    return static_cast<std::int64_t>(rounded);
  }
  return rounded;
}

void read_metric(const JsonReader& metric, std::string_view name_space, Figures& figures) {
  const std::string name = metric.string("N");
  const auto found = std::ranges::find_if(kNames, [&](const FigureName& known) {
    return known.name == name && known.name_space == name_space;
  });
  if (found == kNames.end()) return;
  for (const std::string_view gathered : kGathered) {
    const auto value = metric.optional_number(gathered);
    if (!value) continue;
    if (!std::isfinite(*value)) {
      throw Error(ErrorCode::invalid_argument, metric.place(gathered) + ": must be finite");
    }
    figures[static_cast<std::size_t>(found - kNames.begin())] = *value;
    return;
  }
}

}  // namespace

const FigureName& name_of(Figure figure) {
  return kNames.at(static_cast<std::size_t>(figure));
}

json::object to_telemetry_message(const TelemetryPoint& point) {
  json::array spaces;
  for (const std::string_view name_space : {kSystem, kComponents, kOwn}) {
    json::array metrics;
    for (std::size_t i = 0; i < kFigures; ++i) {
      if (kNames[i].name_space != name_space || !point.figures[i]) continue;
      metrics.push_back(json::object{
          {"N", kNames[i].name}, {"Average", shortest(*point.figures[i])}, {"U", kNames[i].unit}});
    }
    if (metrics.empty()) continue;
    spaces.push_back(json::object{
        {"TS", base::to_epoch_millis(point.time)}, {"NS", name_space}, {"M", std::move(metrics)}});
  }
  return {{"Schema", kSchema}, {"ADP", std::move(spaces)}};
}

std::vector<TelemetryPoint> parse_telemetry_message(std::string_view payload) {
  constexpr std::size_t kMostSpaces = 1000;
  constexpr std::size_t kMostMetrics = 1000;
  const json::value value = base::parse_json(payload, "telemetry message", kFromDevice);
  const JsonReader reader(value, "telemetry message");
  const std::vector<JsonReader> spaces = reader.children("ADP");
  if (spaces.size() > kMostSpaces) {
    throw Error(ErrorCode::invalid_argument, "ADP: more than 1000");
  }
  std::map<std::int64_t, Figures> by_time;
  for (const JsonReader& space : spaces) {
    const std::string name_space = space.string("NS");
    const std::vector<JsonReader> metrics = space.children("M");
    if (metrics.size() > kMostMetrics) {
      throw Error(ErrorCode::invalid_argument, space.place("M") + ": more than 1000");
    }
    Figures& figures = by_time[space.integer("TS")];
    for (const JsonReader& metric : metrics) read_metric(metric, name_space, figures);
  }
  std::vector<TelemetryPoint> points;
  for (const auto& [time, figures] : by_time) {
    const bool says_something =
        std::ranges::any_of(figures, [](const auto& one) { return one.has_value(); });
    if (says_something) points.push_back({base::from_epoch_millis(time), figures});
  }
  return points;
}

}  // namespace andon::fleet
