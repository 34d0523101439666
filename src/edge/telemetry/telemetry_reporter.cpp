// SPDX-License-Identifier: Apache-2.0
#include "edge/telemetry/telemetry_reporter.hpp"

#include <utility>

#include "base/json/json_reader.hpp"
#include "base/json/problem_texts.hpp"
#include "fleet/names/topic.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;

constexpr std::int64_t kShortest = 10;
constexpr std::int64_t kLongest = 86'400;
// After a connection; those that come back together do not all speak in the same moment.
constexpr std::chrono::seconds kFirst{3};

}  // namespace

TelemetrySettings read_telemetry_settings(const json::object* nucleus) {
  TelemetrySettings settings;
  if (nucleus == nullptr) return settings;
  std::vector<base::JsonProblem> problems;
  const base::JsonReading reading{.texts = base::JsonReading::Texts::as_values,
                                  .problems = &problems};
  const base::JsonReader telemetry =
      base::JsonReader(*nucleus, "", reading).child_or_empty("telemetry");
  const auto seconds =
      telemetry.optional_integer("periodicPublishMetricsIntervalSeconds", kShortest, kLongest);
  if (seconds) settings.interval = std::chrono::seconds{*seconds};
  if (!telemetry.optional_bool("enabled").value_or(true)) settings.interval.reset();
  settings.problems = base::problem_texts(problems);
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
