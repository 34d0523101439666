// SPDX-License-Identifier: Apache-2.0
#include "inspect/outputs/driver.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/utf8.hpp"
#include "inspect/outputs/message_drivers.hpp"
#include "inspect/outputs/switch_driver.hpp"

namespace andon::inspect {

void Backoff::succeeded() {
  pause_ = kFirst;
  next_ = {};
}

std::chrono::milliseconds Backoff::failed(Instant now) {
  const std::chrono::milliseconds pause = pause_;
  next_ = now + pause;
  pause_ = std::min(2 * pause_, kLongest);
  return pause;
}

std::string verdict_message(const PartVerdict& part, const std::string& thing) {
  return base::to_text(base::json::object{{"thing", thing},
                                          {"part", base::to_valid_utf8(part.part)},
                                          {"image", base::to_valid_utf8(part.image)},
                                          {"verdict", to_string(part.verdict.judgement)},
                                          {"verdict_rule", base::to_valid_utf8(part.verdict.rule)},
                                          {"fail_safe", part.is_fail_safe},
                                          {"triggered", base::to_iso8601(part.triggered_at)}});
}

std::unique_ptr<Driver> make_driver(const OutputSettings& settings, const DriverTools& tools) {
  struct Maker {
    const OutputSettings& settings;
    const DriverTools& tools;

    std::unique_ptr<Driver> operator()(const ModbusOutput& output) const {
      return std::make_unique<SwitchDriver>(settings, make_switch(output));
    }
    std::unique_ptr<Driver> operator()(const GpioOutput& output) const {
      return std::make_unique<SwitchDriver>(settings, make_switch(output));
    }
    std::unique_ptr<Driver> operator()(const HttpOutput& output) const {
      return std::make_unique<HttpDriver>(output, settings.deadline, tools.thing);
    }
    std::unique_ptr<Driver> operator()(const CommandOutput& output) const {
      return std::make_unique<CommandDriver>(output, tools.thing);
    }
    std::unique_ptr<Driver> operator()(const MqttOutput& output) const {
      if (!tools.publish) {
        throw base::Error(base::ErrorCode::failed_precondition,
                          fmt::format("the output \"{}\" publishes by MQTT through an agent, and "
                                      "there is none",
                                      settings.name));
      }
      return std::make_unique<MqttDriver>(output, tools);
    }
  };
  return std::visit(Maker{settings, tools}, settings.target);
}

}  // namespace andon::inspect
