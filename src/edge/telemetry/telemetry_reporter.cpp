// SPDX-License-Identifier: Apache-2.0
#include "edge/telemetry/telemetry_reporter.hpp"

#include <cmath>
#include <utility>

#include "base/json/json.hpp"
#include "fleet/names/topic.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;

constexpr std::string_view kSettings = "telemetry";
constexpr std::string_view kEnabled = "enabled";
constexpr std::string_view kInterval = "periodicPublishMetricsIntervalSeconds";
constexpr std::int64_t kShortest = 10;
constexpr std::int64_t kLongest = 86'400;
// After a connection; those that come back together do not all speak in the same moment.
constexpr std::chrono::seconds kFirst{3};

// JSON knows one kind of number.
std::optional<std::int64_t> seconds_of(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  if (value.is_double() && std::floor(value.get_double()) == value.get_double() &&
      std::abs(value.get_double()) <= static_cast<double>(kLongest)) {
    return static_cast<std::int64_t>(value.get_double());
  }
  return std::nullopt;
}

}  // namespace

TelemetrySettings read_telemetry_settings(const json::object* nucleus) {
  TelemetrySettings settings;
  const json::value* const found = nucleus == nullptr ? nullptr : nucleus->if_contains(kSettings);
  if (found == nullptr || found->is_null()) return settings;
  const json::object* const object = found->if_object();
  if (object == nullptr) {
    settings.problem = "telemetry: must be an object";
    return settings;
  }
  if (const json::value* const enabled = object->if_contains(kEnabled)) {
    if (!enabled->is_bool()) {
      settings.problem = "telemetry.enabled: must be true or false";
    } else if (!enabled->get_bool()) {
      settings.interval.reset();
      return settings;
    }
  }
  if (const json::value* const interval = object->if_contains(kInterval)) {
    const auto seconds = seconds_of(*interval);
    if (!seconds || *seconds < kShortest || *seconds > kLongest) {
      settings.problem =
          "telemetry.periodicPublishMetricsIntervalSeconds: must be a number from 10 to 86400";
    } else {
      settings.interval = std::chrono::seconds{*seconds};
    }
  }
  return settings;
}

TelemetryReporter::TelemetryReporter(Parts parts)
    : parts_(std::move(parts)),
      system_(std::make_shared<SystemFigures>(parts_.places)),
      worker_(parts_.loop) {
  parts_.link.on_connection([this, alive = alive_](bool is_connected) {
    if (*alive && is_connected) send_in(kFirst);
  });
}

TelemetryReporter::~TelemetryReporter() {
  *alive_ = false;
  parts_.loop.cancel(timer_);
}

void TelemetryReporter::configure(const TelemetrySettings& settings) {
  if (interval_ == settings.interval) return;
  interval_ = settings.interval;
  if (parts_.link.is_connected()) send_in(kFirst);
}

void TelemetryReporter::send_in(std::chrono::milliseconds time) {
  parts_.loop.cancel(timer_);
  timer_ = 0;
  if (!interval_) return;
  timer_ = parts_.loop.after(time, [this] {
    timer_ = 0;
    send();
  });
}

void TelemetryReporter::send() {
  // The next one is due when the connection is back.
  if (!interval_ || !parts_.link.is_connected()) return;
  const auto figures = std::make_shared<fleet::Figures>();
  worker_.run(
      [system = system_, figures] { *figures = system->read(std::chrono::steady_clock::now()); },
      [this, figures](const std::exception_ptr& problem) {
        if (!problem && interval_ && parts_.link.is_connected()) {
          parts_.add_own(*figures);
          parts_.link.publish(
              {fleet::DeviceTopics(parts_.thing).telemetry(),
               base::to_text(fleet::to_telemetry_message({parts_.clock.now(), *figures}))},
              wire::Qos::at_most_once, {}, {});
        }
        if (timer_ == 0 && interval_) send_in(*interval_);
      });
}

}  // namespace andon::edge
