// SPDX-License-Identifier: Apache-2.0
// An MQTT 5 client (libmosquitto) that keeps itself connected: reconnects with backoff and
// subscribes again. Network I/O is on a thread of its own; handlers are called on that thread and
// must not block. Any thread may call publish and subscribe.
// Sessions are clean: nothing is kept by the broker or by this object over a broken connection but
// the subscriptions. Who must not lose a message keeps it until `delivered`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "wire/mqtt_topic.hpp"  // topic_matches, is_valid_topic, is_valid_filter

namespace andon::wire {

enum class Qos : int { at_most_once = 0, at_least_once = 1 };

struct MqttOptions {
  std::string host;
  std::uint16_t port = 8883;
  std::string client_id;
  std::string ca_file;  // empty: plain TCP; files are read anew for each connection
  std::string certificate_file;
  std::string private_key_file;
  std::chrono::seconds keep_alive{30};
  std::chrono::milliseconds connect_timeout{10'000};  // TCP, TLS and CONNACK together
  std::chrono::milliseconds reconnect_minimum{200};
  std::chrono::milliseconds reconnect_maximum{30'000};
};

struct MqttMessage {
  std::string topic;
  std::string payload;
};

struct MqttPublishProperties {
  bool retain = false;
  std::optional<std::uint32_t> message_expiry_seconds;
  std::string content_type;
  std::string response_topic;
  std::string correlation_data;
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

// Called on the network thread when the connection comes up (true) and goes (false), with a reason.
using MqttConnectionHandler = std::function<void(bool connected, std::string_view reason)>;
using MqttMessageHandler = std::function<void(const MqttMessage&)>;

class MqttClient {
 public:
  // Starts connecting at once, in the background; throws invalid_argument for unreadable
  // certificate files.
  explicit MqttClient(MqttOptions options, MqttConnectionHandler on_connection = {});
  MqttClient(const MqttClient&) = delete;
  MqttClient& operator=(const MqttClient&) = delete;
  ~MqttClient();

  [[nodiscard]] bool is_connected() const;
  [[nodiscard]] bool wait_connected(std::chrono::milliseconds timeout) const;

  // Kept over reconnects. `filter` may hold + and #; throws invalid_argument for one that is not
  // valid. Returns an id for unsubscribe().
  std::uint64_t subscribe(std::string filter, Qos qos, MqttMessageHandler handler);
  // Waits until the broker has acknowledged the subscription on the present connection. An
  // acknowledgement is no proof of the right to read: mosquitto grants and then delivers nothing.
  [[nodiscard]] bool wait_subscribed(std::uint64_t id, std::chrono::milliseconds timeout) const;
  // After it returns the handler is not called again; called from another thread it waits for a
  // running handler, so the caller must not hold a lock that the handler takes.
  void unsubscribe(std::uint64_t id);

  // Blocks until acknowledged, at most for `timeout`. Not from a handler. Both forms throw
  // invalid_argument for an invalid topic or a payload over 256 MiB.
  [[nodiscard]] PublishOutcome publish(const MqttMessage& message, Qos qos,
                                       std::chrono::milliseconds timeout,
                                       const MqttPublishProperties& properties = {});
  // Does not wait; `on_outcome` is called on the network thread, or at once when not connected.
  void publish_async(const MqttMessage& message, Qos qos,
                     std::function<void(PublishOutcome)> on_outcome,
                     const MqttPublishProperties& properties = {});

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::wire
