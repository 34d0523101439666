// SPDX-License-Identifier: Apache-2.0
#include "wire/mqtt/mqtt_outbox.hpp"

#include <fmt/format.h>
#include <mqtt_protocol.h>

#include <utility>

#include "base/error/error.hpp"
#include "wire/mqtt/mqtt_topic.hpp"

namespace andon::wire {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxPayloadBytes = 268'435'455U;
constexpr int kFirstFailureReason = 0x80;

PublishOutcome outcome_of(int reason) {
  if (reason == MQTT_RC_NO_MATCHING_SUBSCRIBERS) return PublishOutcome::no_subscribers;
  return reason >= kFirstFailureReason ? PublishOutcome::refused : PublishOutcome::delivered;
}

}  // namespace

std::string_view to_string(PublishOutcome outcome) {
  switch (outcome) {
    case PublishOutcome::delivered:
      return "delivered";
    case PublishOutcome::no_subscribers:
      return "no subscribers";
    case PublishOutcome::refused:
      return "refused";
    case PublishOutcome::timed_out:
      return "timed out";
    case PublishOutcome::not_connected:
      return "not connected";
  }
  return "unknown";
}

void MqttOutbox::check(const MqttMessage& message) {
  if (!is_valid_topic(message.topic)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("'{}' is not a topic that can be published to", message.topic));
  }
  if (message.payload.size() > kMaxPayloadBytes) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("a message for '{}' has {} bytes, more than MQTT carries",
                            message.topic, message.payload.size()));
  }
}

std::vector<OutgoingMessage> MqttOutbox::take() {
  return std::exchange(to_send_, {});
}

void MqttOutbox::await(int packet_id, PublishOutcomeHandler on_outcome) {
  unacknowledged_[packet_id] = std::move(on_outcome);
}

MqttOutbox::Settled MqttOutbox::acknowledge(int packet_id, int reason) {
  const auto found = unacknowledged_.find(packet_id);
  if (found == unacknowledged_.end()) return {};
  Settled settled{std::move(found->second), outcome_of(reason)};
  unacknowledged_.erase(found);
  return settled;
}

std::vector<MqttOutbox::Settled> MqttOutbox::connection_is_gone() {
  is_connected_ = false;
  std::vector<Settled> settled;
  for (auto& [packet_id, on_outcome] : std::exchange(unacknowledged_, {})) {
    settled.push_back({std::move(on_outcome), PublishOutcome::timed_out});
  }
  for (OutgoingMessage& message : take()) {
    settled.push_back({std::move(message.on_outcome), PublishOutcome::not_connected});
  }
  return settled;
}

}  // namespace andon::wire
