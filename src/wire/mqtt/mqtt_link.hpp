// SPDX-License-Identifier: Apache-2.0
// One connection to a broker, by libmosquitto: from the attempt to connect until it is gone. A
// fresh one serves each connection. Belongs to one thread, on which it tells its owner what
// comes. Internal to wire/mqtt.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wire/mqtt/mqtt_client.hpp"
#include "wire/mqtt/mqtt_outbox.hpp"
#include "wire/mqtt/mqtt_subscriptions.hpp"
#include "wire/mqtt/mqtt_tunnel.hpp"

struct mosquitto;
struct mqtt5__property;

namespace andon::wire {

// Throws invalid_argument where the certificate files cannot be used.
void check_certificates(const MqttOptions& options);

// A message's MQTT 5 properties as libmosquitto wants them.
class MqttProperties {
 public:
  MqttProperties() = default;
  // Throws invalid_argument for what cannot be sent.
  explicit MqttProperties(const MqttPublishProperties& properties);
  MqttProperties(const MqttProperties&) = delete;
  MqttProperties& operator=(const MqttProperties&) = delete;
  ~MqttProperties();

  void add_subscription_identifier(std::uint32_t identifier);
  void add_session_expiry(std::chrono::seconds expiry);
  [[nodiscard]] const mqtt5__property* get() const { return list_; }

 private:
  void add_text(int identifier, const std::string& value);

  mqtt5__property* list_ = nullptr;
};

// Called inside of MqttLink::turn().
class MqttLinkEvents {
 public:
  MqttLinkEvents() = default;
  MqttLinkEvents(const MqttLinkEvents&) = delete;
  MqttLinkEvents& operator=(const MqttLinkEvents&) = delete;
  virtual ~MqttLinkEvents() = default;

  virtual void on_connected(bool is_resumed) = 0;
  virtual void on_published(int packet_id, int reason) = 0;
  // `refusal` is empty where the broker granted it.
  virtual void on_subscribed(int packet_id, const std::string& refusal) = 0;
  virtual void on_message(const MqttMessage& message,
                          const std::vector<std::uint32_t>& identifiers) = 0;
};

class MqttLink {
 public:
  enum class Session { clean, resumed };
  // Begins to connect; throws where it cannot. `options` and `events` outlive it. Of the way its
  // proxy counts, and the options have the endpoint. `wake_fd` is an eventfd that ends a turn.
  MqttLink(const MqttOptions& options, const MqttWay& way, Session session, MqttLinkEvents& events,
           int wake_fd);
  MqttLink(const MqttLink&) = delete;
  MqttLink& operator=(const MqttLink&) = delete;
  ~MqttLink() = default;

  // Waits for the network or `wake_fd`, then does what is due; false where the connection is gone
  // or did not come up in time: problem() says why.
  [[nodiscard]] bool turn();
  [[nodiscard]] bool is_connected() const { return connected_at_.has_value(); }
  // It held for so long that the next attempt may be made at once.
  [[nodiscard]] bool was_good() const;
  [[nodiscard]] std::string problem() const;
  // The broker does not speak the version of MQTT.
  [[nodiscard]] bool is_refused_for_version() const { return is_refused_for_version_; }

  // Gives the packet id.
  [[nodiscard]] int subscribe(const MqttSubscriptions::Change& change);
  void unsubscribe(const std::string& filter);
  // The packet id of a QoS 1 message that will be acknowledged, or what became of the message.
  struct Sent {
    std::optional<int> packet_id;
    PublishOutcome outcome = PublishOutcome::delivered;
  };
  [[nodiscard]] Sent publish(const OutgoingMessage& message);
  // With or without the session that the tuning has.
  enum class Goodbye { keeps_session, ends_session };
  void say_goodbye(Goodbye goodbye);

 private:
  struct Callbacks;  // of libmosquitto
  struct ClientDeleter {
    void operator()(mosquitto* client) const;
  };
  using ClientPtr = std::unique_ptr<mosquitto, ClientDeleter>;
  [[nodiscard]] ClientPtr make_client(Session session);
  [[nodiscard]] bool is_v5() const { return options_.tuning.version == MqttVersion::v5; }
  void keep_session_expiry();
  [[nodiscard]] std::chrono::milliseconds longest_wait() const;
  [[nodiscard]] int wait_and_serve();

  const MqttOptions& options_;
  MqttLinkEvents& events_;
  const int wake_fd_;
  std::string problem_;
  bool is_refused_for_version_ = false;
  std::optional<std::chrono::steady_clock::time_point> connected_at_;
  std::chrono::steady_clock::time_point connect_deadline_;
  std::unique_ptr<MqttTunnel> tunnel_;  // empty: no proxy
  ClientPtr client_;                    // last: goes first, and may call back
};

}  // namespace andon::wire
