// SPDX-License-Identifier: Apache-2.0
// What the broker keeps for who subscribes later, asked of the broker itself: a connection of its
// own subscribes, and what comes before a message that is sent afterwards is all there is. One
// question at a time; any thread.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "wire/mqtt/mqtt_client.hpp"

namespace andon::api {

class RetainedMessages {
 public:
  static constexpr std::size_t kMost = 100'000;
  static constexpr std::size_t kMostBytes = 64U << 20U;

  // As the server itself connects.
  explicit RetainedMessages(wire::MqttOptions options) : options_(std::move(options)) {}

  // Blocks for 10 s at most. Throws unavailable where the broker does not answer in that time,
  // resource_exhausted where there is more than the limits.
  [[nodiscard]] std::vector<wire::MqttMessage> read(const std::string& filter);

 private:
  const wire::MqttOptions options_;
  std::mutex one_at_a_time_;
};

}  // namespace andon::api
