// SPDX-License-Identifier: Apache-2.0
// The messages of one connection after another, from publish() until their outcome is known: those
// to be sent, and those sent with QoS 1 and not acknowledged. A message belongs to the connection
// on which it was given: what breaks with it is never sent again behind the caller's back.
// Pure; whoever owns it locks it, and calls the handlers outside of the lock. Internal to
// wire/mqtt.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "wire/mqtt/mqtt_message.hpp"

namespace andon::wire {

class MqttProperties;

struct OutgoingMessage {
  MqttMessage message;
  Qos qos = Qos::at_most_once;
  bool retain = false;
  std::shared_ptr<const MqttProperties> properties;  // null: none
  PublishOutcomeHandler on_outcome;
};

class MqttOutbox {
 public:
  // Throws invalid_argument for a topic that cannot be published to or a payload that is too large.
  static void check(const MqttMessage& message);

  [[nodiscard]] bool is_connected() const { return is_connected_; }
  void connection_is_up() { is_connected_ = true; }

  // Only while connected.
  void add(OutgoingMessage message) { to_send_.push_back(std::move(message)); }
  // All that is to be sent, in order.
  [[nodiscard]] std::vector<OutgoingMessage> take();
  // It was sent under `packet_id`, with QoS 1.
  void await(int packet_id, PublishOutcomeHandler on_outcome);
  // Whom to tell what the broker's `reason` means; nobody for a QoS 0 message.
  struct Settled {
    PublishOutcomeHandler on_outcome;
    PublishOutcome outcome = PublishOutcome::delivered;
  };
  [[nodiscard]] Settled acknowledge(int packet_id, int reason);

  // What was not acknowledged timed out; what was not sent found no connection.
  [[nodiscard]] std::vector<Settled> connection_is_gone();

 private:
  bool is_connected_ = false;
  std::vector<OutgoingMessage> to_send_;
  std::map<int, PublishOutcomeHandler> unacknowledged_;  // by packet id
};

}  // namespace andon::wire
