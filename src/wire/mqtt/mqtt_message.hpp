// SPDX-License-Identifier: Apache-2.0
// What MQTT carries, and what became of it. Plain values.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace andon::wire {

enum class Qos : int { at_most_once = 0, at_least_once = 1 };

// What of a subscription's messages comes while the connection is away: nothing; or the broker
// keeps those of QoS 1 for when it is back, as long as the session lasts (MqttTuning).
enum class WhileAway { lost, kept };

struct MqttPublishProperties {
  bool retain = false;
  std::optional<std::uint32_t> message_expiry_seconds;
  std::string content_type;
  std::string response_topic;
  std::string correlation_data;
  std::optional<bool> is_utf8_text = {};  // the payload format indicator
  // In order; a name may come twice.
  std::vector<std::pair<std::string, std::string>> user_properties = {};
};

struct MqttMessage {
  std::string topic;
  std::string payload;
  // Of one that has come.
  Qos qos = Qos::at_most_once;
  bool is_retained = false;               // the broker had kept it for who subscribes
  MqttPublishProperties properties = {};  // but for `retain`
};

enum class PublishOutcome {
  delivered,       // QoS 1: acknowledged; QoS 0: handed to the network
  no_subscribers,  // QoS 1: the broker has it, but nobody was there to get it (reason 0x10)
  refused,         // QoS 1: the broker's access rules say no (reason 0x87), or another refusal
  timed_out,       // no acknowledgement in time, or the connection broke before it came; the
                   // message may or may not have arrived
  not_connected,   // nothing was sent
};
[[nodiscard]] std::string_view to_string(PublishOutcome outcome);

using PublishOutcomeHandler = std::function<void(PublishOutcome)>;
using MqttMessageHandler = std::function<void(const MqttMessage&)>;

}  // namespace andon::wire
