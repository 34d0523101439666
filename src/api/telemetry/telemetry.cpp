// SPDX-License-Identifier: Apache-2.0
#include "api/telemetry/telemetry.hpp"

#include <string>

#include "api/table/members.hpp"
#include "base/error/error.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using control::DeviceTelemetry;
using control::TelemetryPeriod;

constexpr auto kMinuteSeconds = static_cast<std::int64_t>(TelemetryPeriod::minute);
constexpr auto kHourSeconds = static_cast<std::int64_t>(TelemetryPeriod::hour);

json::object described(base::Timestamp at, const fleet::Figures& figures) {
  json::object told{{"at", base::to_iso8601(at)}};
  for (std::size_t i = 0; i < figures.size(); ++i) {
    if (figures[i]) told[fleet::name_of(static_cast<fleet::Figure>(i)).member] = *figures[i];
  }
  return told;
}

void require_thing(const TelemetryParts& parts, const std::string& thing) {
  if (!parts.things.find(thing)) {
    throw Error(ErrorCode::not_found, "there is no thing " + thing);
  }
}

control::TelemetryQuestion read_question(const TelemetryParts& parts, const json::object& input) {
  const base::Timestamp now = parts.clock.now();
  control::TelemetryQuestion question{.thing = required_text(input, "thing"),
                                      .from = now - std::chrono::hours{1},
                                      .until = now + std::chrono::minutes{1}};
  if (const auto from = optional_time_ms(input, "from")) {
    question.from = base::from_epoch_millis(*from);
  }
  if (const auto until = optional_time_ms(input, "until")) {
    question.until = base::from_epoch_millis(*until);
  }
  const bool is_of_a_day = question.from >= now - DeviceTelemetry::kMinutesKept;
  question.period = is_of_a_day ? TelemetryPeriod::minute : TelemetryPeriod::hour;
  if (const auto period = optional_number(input, "period")) {
    if (*period != kMinuteSeconds && *period != kHourSeconds) {
      throw Error(ErrorCode::invalid_argument,
                  "period: must be 60 (a point a minute, of the last 24 hours) or 3600 (averages "
                  "by the hour, of the last 30 days)");
    }
    question.period = static_cast<TelemetryPeriod>(*period);
  }
  return question;
}

json::value get_metrics(const TelemetryParts& parts, const OperationContext& context) {
  const control::TelemetryQuestion question = read_question(parts, context.input);
  require_thing(parts, question.thing);
  json::array points;
  for (const fleet::TelemetryPoint& point : parts.telemetry.read(question)) {
    points.push_back(described(point.time, point.figures));
  }
  json::object output{{"thing", question.thing},
                      {"period", static_cast<std::int64_t>(question.period)},
                      {"points", std::move(points)}};
  if (const auto latest = parts.telemetry.latest(question.thing)) {
    output["latest"] = described(latest->at, latest->figures);
  }
  return output;
}

json::value list_alarms(const TelemetryParts& parts, const OperationContext& context) {
  json::array alarms;
  for (const control::Alarm& alarm : parts.alarms.list(text_or_empty(context.input, "thing"))) {
    json::object told = alarm.figures;
    told["alarm"] = to_string(alarm.kind);
    put_unless_empty(told, "thing", alarm.thing);
    told["since"] = base::to_iso8601(alarm.since);
    told["reason"] = alarm.reason;
    alarms.push_back(std::move(told));
  }
  return json::object{{"alarms", std::move(alarms)}};
}

}  // namespace

std::vector<Operation> telemetry_operations(const TelemetryParts& parts) {
  const auto row = [](std::string_view name, std::string_view path, auto work) {
    return Operation{"andon", name, Protocol::rest_json, "GET", path, 200, work};
  };
  return {row("GetDeviceMetrics", "/andon/v1/things/{thing}/metrics",
              [parts](const OperationContext& context) { return get_metrics(parts, context); }),
          row("ListAlarms", "/andon/v1/alarms",
              [parts](const OperationContext& context) { return list_alarms(parts, context); })};
}

}  // namespace andon::api
