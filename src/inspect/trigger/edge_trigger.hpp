// SPDX-License-Identifier: Apache-2.0
// Triggers by an input that changes: of a controller, which is asked again and again, or of a GPIO
// line, of which the kernel tells. What the input shows when it is first seen, or seen again after
// its peer was gone, is no trigger.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "inspect/trigger/trigger_input.hpp"

namespace andon::inspect {

// Where edges come from; belongs to one thread.
class EdgeSource {
 public:
  EdgeSource() = default;
  EdgeSource(const EdgeSource&) = delete;
  EdgeSource& operator=(const EdgeSource&) = delete;
  virtual ~EdgeSource() = default;

  [[nodiscard]] virtual std::string name() const = 0;
  // Throws unavailable.
  virtual void open() = 0;
  // When there was an edge; nothing where there was none for a while (some 0.1 s). Throws
  // unavailable, and is to be opened again then.
  [[nodiscard]] virtual std::optional<Instant> wait() = 0;
};

[[nodiscard]] std::unique_ptr<EdgeSource> make_edge_source(const ModbusTriggerSettings& settings);
[[nodiscard]] std::unique_ptr<EdgeSource> make_edge_source(const GpioTriggerSettings& settings);

class EdgeTrigger final : public TriggerInput {
 public:
  EdgeTrigger(std::unique_ptr<EdgeSource> source, TriggerCallbacks callbacks);
  ~EdgeTrigger() override;

 private:
  void run();
  void follow();
  // False where it is to end.
  [[nodiscard]] bool pause(std::chrono::milliseconds time);
  [[nodiscard]] bool is_stopped() const;

  const std::unique_ptr<EdgeSource> source_;
  const TriggerCallbacks callbacks_;
  mutable std::mutex mutex_;  // guards the next
  std::condition_variable changed_;
  bool is_stopped_ = false;
  std::thread thread_;
};

}  // namespace andon::inspect
