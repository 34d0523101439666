// SPDX-License-Identifier: Apache-2.0
// How one output tells the line. A driver belongs to one thread of its Lane, which may wait in it
// up to the deadline that it gives.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "inspect/outputs/output_settings.hpp"
#include "inspect/outputs/part.hpp"

namespace andon::inspect {

class Driver {
 public:
  Driver() = default;
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  virtual ~Driver() = default;

  // Returns when the line was told. Throws base::Error where it was not.
  virtual void give(const PartVerdict& part, Instant deadline) = 0;

  // When there is something to do beside parts: a pulse to end, a connection to make again.
  [[nodiscard]] virtual std::optional<Instant> upkeep_at() const { return std::nullopt; }
  virtual void upkeep(Instant) {}
  // Nothing that was begun is to be ended: the lane may stop.
  [[nodiscard]] virtual bool is_at_rest() const { return true; }
};

// Pauses between attempts to reach a peer that is gone: they grow, and end with the first success.
class Backoff {
 public:
  [[nodiscard]] bool may_try(Instant now) const { return now >= next_; }
  [[nodiscard]] Instant next() const { return next_; }
  void succeeded();
  // The pause that follows.
  std::chrono::milliseconds failed(Instant now);

  static constexpr std::chrono::milliseconds kFirst{100};
  static constexpr std::chrono::milliseconds kLongest{2'000};

 private:
  Instant next_{};
  std::chrono::milliseconds pause_{kFirst};
};

// What drivers need of the program around them.
struct DriverTools {
  std::string thing;
  // Of the agent; empty where there is none. Throws as it does.
  std::function<void(const MqttOutput& to, const std::string& message)> publish;
};

// The JSON that is published, posted and given to commands:
//   {"thing", "part", "image", "verdict", "verdict_rule", "fail_safe", "triggered"}
[[nodiscard]] std::string verdict_message(const PartVerdict& part, const std::string& thing);

// Throws failed_precondition where a module, or the agent, is missing.
[[nodiscard]] std::unique_ptr<Driver> make_driver(const OutputSettings& settings,
                                                  const DriverTools& tools);

}  // namespace andon::inspect
