// SPDX-License-Identifier: Apache-2.0
#include "edge/clients/mqtt_bridge.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "edge/cloud/refused_topics.hpp"
#include "fleet/names/topic.hpp"
#include "wire/mqtt/mqtt_topic.hpp"

namespace andon::edge {
namespace {

// What a broker says of itself.
constexpr std::string_view kOfBroker = "andon/broker/";

}  // namespace

MqttBridge::~MqttBridge() {
  *alive_ = false;
  unsubscribe_all();
}

void MqttBridge::refresh() {
  const json::object* const configuration = parts_.configuration();
  std::vector<BridgeRoute> routes;
  std::string problem;
  try {
    if (configuration != nullptr) routes = read_bridge_routes(*configuration);
  } catch (const base::Error& error) {
    problem = "its configuration is wrong, and nothing is carried: " + error.message();
    if (problem != problem_) base::log_warning("the MQTT bridge", {{"why", problem}});
  }
  if (problem != problem_) {
    problem_ = problem;
    parts_.note({NoteCode::configuration_not_used, problem});
  }
  if (routes == routes_) return;
  unsubscribe_all();
  routes_ = std::move(routes);
  subscribe_all();
}

void MqttBridge::set_local(MqttLink* local) {
  unsubscribe_all();
  local_ = local;
  subscribe_all();
  if (local_ == nullptr) return;
  local_->on_connection([this, alive = alive_](bool is_connected) {
    if (*alive && is_connected) send_waiting();
  });
}

void MqttBridge::unsubscribe_all() {
  for (const std::uint64_t id : std::exchange(local_ids_, {})) local_->unsubscribe(id);
  for (const std::uint64_t id : std::exchange(cloud_ids_, {})) parts_.cloud.unsubscribe(id);
  for (const std::uint64_t id : std::exchange(pubsub_ids_, {})) parts_.pubsub.stop_listening(id);
}

void MqttBridge::subscribe_all() {
  for (const BridgeRoute& route : routes_) {
    const auto take_message = [this, route](const wire::MqttMessage& message) {
      take(route, message);
    };
    switch (route.source) {
      case BridgeEnd::local_mqtt:
        if (local_ == nullptr) break;
        local_ids_.push_back(
            local_->subscribe(route.topic, wire::Qos::at_least_once, take_message));
        break;
      case BridgeEnd::iot_core:
        cloud_ids_.push_back(parts_.cloud.subscribe(route.topic, wire::Qos::at_least_once,
                                                    take_message, wire::WhileAway::kept));
        break;
      case BridgeEnd::pubsub:
        pubsub_ids_.push_back(
            parts_.pubsub.listen(route.topic, std::string(kMqttBridge),
                                 [this, route](const std::string& topic, std::string payload) {
                                   carry(route, topic, std::move(payload));
                                 }));
        break;
    }
  }
}

void MqttBridge::take(const BridgeRoute& route, const wire::MqttMessage& message) {
  // What people ask of this device, and get, is no client device's to know.
  if (fleet::is_command_topic(message.topic)) return;
  if (message.topic.starts_with(kOfBroker)) return;
  const bool is_carried = std::ranges::any_of(
      message.properties.user_properties,
      [this](const auto& one) { return one.first == kMark && one.second == parts_.thing; });
  if (!is_carried) carry(route, message.topic, message.payload);
}

void MqttBridge::carry(const BridgeRoute& route, const std::string& from, std::string payload) {
  const std::string topic = route.target_prefix + from;
  if (!wire::is_valid_topic(topic)) return drop(topic, "it is no topic to publish to");
  switch (route.target) {
    case BridgeEnd::local_mqtt:
      return to_local({topic, std::move(payload)});
    case BridgeEnd::iot_core:
      return to_cloud(topic, std::move(payload));
    case BridgeEnd::pubsub:
      return parts_.pubsub.publish_bytes(topic, payload, std::string(kMqttBridge));
  }
}

wire::MqttPublishProperties MqttBridge::mark() const {
  wire::MqttPublishProperties properties;
  properties.user_properties.emplace_back(kMark, parts_.thing);
  return properties;
}

void MqttBridge::to_cloud(const std::string& topic, std::string payload) {
  try {
    parts_.mqtt.require_open(topic);
    parts_.refused.published_by(std::string(kMqttBridge), topic);
    parts_.spool.add({topic, std::move(payload)}, mark(), {}, std::string(kMqttBridge));
  } catch (const base::Error& error) {
    drop(topic, error.message());
  }
}

void MqttBridge::to_local(Waiting message) {
  if (local_ == nullptr || !local_->is_connected()) return keep(std::move(message));
  const wire::MqttMessage outgoing{message.topic, message.payload};
  local_->publish(
      outgoing, wire::Qos::at_least_once,
      [this, alive = alive_, message = std::move(message)](wire::PublishOutcome outcome) {
        const bool is_lost = outcome == wire::PublishOutcome::not_connected ||
                             outcome == wire::PublishOutcome::timed_out;
        if (*alive && is_lost) keep(message);
      },
      mark());
}

// The oldest go first where they are too many.
void MqttBridge::keep(Waiting message) {
  waiting_bytes_ += message.topic.size() + message.payload.size();
  waiting_.push_back(std::move(message));
  while (waiting_.size() > kMostWaiting || waiting_bytes_ > kMostWaitingBytes) {
    const Waiting oldest = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= oldest.topic.size() + oldest.payload.size();
    drop(oldest.topic, "too much waits for the broker of client devices");
  }
}

void MqttBridge::send_waiting() {
  waiting_bytes_ = 0;
  for (Waiting& message : std::exchange(waiting_, {})) to_local(std::move(message));
}

void MqttBridge::drop(const std::string& topic, const std::string& why) {
  const auto count = dropped_.happened(1, parts_.loop.now());
  if (!count) return;
  problem_ = "a message to '" + topic + "' was not carried: " + why;
  base::log_warning("the MQTT bridge", {{"why", problem_}, {"count", *count}});
  parts_.note({NoteCode::messages_not_carried, problem_});
}

}  // namespace andon::edge
