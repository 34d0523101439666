// SPDX-License-Identifier: Apache-2.0
// An MQTT client (libmosquitto) that keeps itself connected: reconnects with backoff and subscribes
// again. Network I/O is on a thread of its own; handlers are called on that thread and must not
// block. Any thread may call publish and subscribe.
// It speaks MQTT 5, or 3.1.1 where it is told to or the broker refuses the other: then messages
// carry no properties, and nobody says that a message found no subscriber.
// Where the tuning has a session, a connection resumes that of the one before, and the broker's
// session of an earlier client of that name is ended: what the broker has kept for a subscription
// with WhileAway::kept comes then, perhaps a second time; what it has kept for others is thrown
// away. Sessions end with the client. This object keeps nothing over a broken connection but the
// subscriptions. Who must not lose a message that it publishes keeps it until `delivered`.
//
// This room is MQTT: this client, of which MqttSubscriptions and MqttOutbox hold what is wanted and
// MqttLink one connection; topics and filters; messages.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wire/mqtt/mqtt_message.hpp"
#include "wire/mqtt/mqtt_topic.hpp"  // topic_matches, is_valid_topic, is_valid_filter

namespace andon::wire {

struct MqttEndpoint {
  std::string host;
  std::uint16_t port = 8883;
  bool operator==(const MqttEndpoint&) const = default;
};

// Where a broker is looked for, and through what.
struct MqttWay {
  std::vector<MqttEndpoint> endpoints;  // in order; the next where one does not answer
  std::string proxy;  // "http://[user:password@]host:port", https, socks5 or socks5h; empty: none
  std::string no_proxy;  // hosts that are reached without it, comma-separated, as libcurl takes it
  bool operator==(const MqttWay&) const = default;
};

enum class MqttVersion : std::uint8_t { v5, v3_1_1 };

// How a connection behaves.
struct MqttTuning {
  MqttVersion version = MqttVersion::v5;
  std::chrono::seconds keep_alive{30};  // 5 at least
  std::uint16_t max_in_flight = 20;     // QoS 1 messages that are sent and not acknowledged
  // How long the broker keeps the session of a connection that broke; zero: not at all. By 3.1.1
  // sessions are always clean.
  std::chrono::seconds session{0};
  bool operator==(const MqttTuning&) const = default;
};

// Since the client was made.
struct MqttCounts {
  std::uint64_t attempts = 0;
  std::uint64_t connections = 0;
  std::uint64_t losses = 0;               // of connections that were up
  MqttEndpoint endpoint;                  // tried last
  MqttVersion version = MqttVersion::v5;  // spoken there
  std::string problem;                    // the last one; kept when the connection is up again
};

struct MqttOptions {
  std::string host;
  std::uint16_t port = 8883;
  std::string client_id;
  std::string ca_file;  // empty: plain TCP; files are read anew for each connection
  std::string certificate_file;
  std::string private_key;  // a PEM file, or the URI of a key (trust/keys/private_key.hpp)
  MqttTuning tuning;
  std::chrono::milliseconds connect_timeout{10'000};  // TCP, TLS and CONNACK together
  std::chrono::milliseconds reconnect_minimum{200};
  std::chrono::milliseconds reconnect_maximum{30'000};
  // While another endpoint than the first serves: how often the first is tried again.
  std::chrono::milliseconds return_after{300'000};
};

// Called on the network thread when the connection comes up (true) and goes (false), with a reason.
using MqttConnectionHandler = std::function<void(bool connected, std::string_view reason)>;

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
  // Ends the connection, or the wait for the next attempt, and connects at once with the files that
  // are there now. Does not wait.
  void reconnect();
  // From now on instead of the host and port of the options. A connection to one of the way's
  // endpoints through the same proxy stays; another one is replaced at once. Does not wait.
  void take(MqttWay way);
  // From now on instead of the tuning of the options; where it differs a new connection is made.
  void tune(const MqttTuning& tuning);
  [[nodiscard]] MqttCounts counts() const;

  // Kept over reconnects. `filter` may hold + and #; throws invalid_argument for one that is not
  // valid. Returns an id for unsubscribe().
  std::uint64_t subscribe(std::string filter, Qos qos, MqttMessageHandler handler,
                          WhileAway away = WhileAway::lost);
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
  void publish_async(const MqttMessage& message, Qos qos, PublishOutcomeHandler on_outcome,
                     const MqttPublishProperties& properties = {});

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace andon::wire
