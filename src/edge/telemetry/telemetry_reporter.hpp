// SPDX-License-Identifier: Apache-2.0
// Tells the server the device's figures, from time to time and soon after each connection: one
// small message that nothing waits for and that is not kept where there is no connection. How often
// says the configuration of aws.greengrass.Nucleus: `telemetry.enabled`,
// `telemetry.periodicPublishMetricsIntervalSeconds`. Owned by the agent; main thread only, files
// are read by a worker.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json/fwd.hpp"
#include "edge/cloud/mqtt_link.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/loop/worker.hpp"
#include "edge/telemetry/system_figures.hpp"

namespace andon::edge {

struct TelemetrySettings {
  std::optional<std::chrono::seconds> interval = std::chrono::seconds{60};  // none: turned off
  std::vector<std::string> problems = {};  // what cannot be used, which is left as it is without it
};
// `nucleus`: the component's configuration; null where there is none.
[[nodiscard]] TelemetrySettings read_telemetry_settings(const base::json::object* nucleus);

class TelemetryReporter {
 public:
  struct Parts {
    EventLoop& loop;
    MqttLink& link;
    const base::Clock& clock;
    SystemPlaces places;
    std::string thing;
    // Puts what the agent itself counts; on the loop.
    std::function<void(fleet::Figures&)> add_own;
  };

  explicit TelemetryReporter(Parts parts);
  TelemetryReporter(const TelemetryReporter&) = delete;
  TelemetryReporter& operator=(const TelemetryReporter&) = delete;
  ~TelemetryReporter();

  void configure(const TelemetrySettings& settings);

 private:
  void send_in(std::chrono::milliseconds time);
  void send();

  Parts parts_;
  std::optional<std::chrono::seconds> interval_ = TelemetrySettings{}.interval;
  EventLoop::TimerId timer_ = 0;
  // Of the worker alone, once it runs.
  std::shared_ptr<SystemFigures> system_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Worker worker_;
};

}  // namespace andon::edge
