// SPDX-License-Identifier: Apache-2.0
// How the control plane speaks to devices: messages on their MQTT topics. Called after the
// transaction that they tell of; a lost message does no harm, for devices ask again when they
// connect and DeviceJobs::repeat_pending() repeats them.
#pragma once

#include <string>

namespace andon::control {

class Notifier {
 public:
  Notifier() = default;
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;
  virtual ~Notifier() = default;

  // Must not block and must not throw. Any thread.
  virtual void publish(const std::string& topic, const std::string& payload) = 0;
  // False while so many messages are on their way that who has many more should wait.
  [[nodiscard]] virtual bool has_room() const { return true; }
};

}  // namespace andon::control
